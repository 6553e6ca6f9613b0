"""Addresses of lists: the filters that are set, and nothing else."""

from collections.abc import Callable, Mapping
from urllib.parse import urlencode


def linker(path: str, fixed: Mapping[str, str | None]) -> Callable[..., str]:
    """Return a function that makes the address of a list with some parameters changed.

    One that is empty or None is left out, and so is the first page.
    """

    def link(**changed: str | int | None) -> str:
        values = {**fixed, **changed}
        kept = {name: value for name, value in values.items() if value not in (None, "")}
        if kept.get("page") in (1, "1"):
            del kept["page"]
        return f"{path}?{urlencode(kept)}" if kept else path

    return link
