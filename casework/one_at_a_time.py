"""Heavy work that people ask for: one piece at a time for each user, so that nobody takes it all."""

from collections.abc import Iterator
from contextlib import contextmanager


class Busy(Exception):
    """The user has a piece of this work under way already."""


class OneAtATime:
    """Who has what under way in this process; several processes count each for itself."""

    def __init__(self) -> None:
        self._under_way: set[tuple[str, str]] = set()

    @contextmanager
    def turn(self, work: str, username: str) -> Iterator[None]:
        """Hold the user's turn while the block runs. Raises `Busy`."""
        mine = (work, username)
        if mine in self._under_way:
            raise Busy(work)
        self._under_way.add(mine)
        try:
            yield
        finally:
            self._under_way.discard(mine)
