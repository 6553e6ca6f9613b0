"""Work beside the workflows survives whatever happens to it."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta

import pytest

from casework.engine import EngineUnavailable
from casework.keeping_on import keep_on
from models.database import DatabaseUnavailable

EVERY, AFTER_OUTAGE = timedelta(hours=1), timedelta(minutes=1)
Step = int | None | Exception


async def pauses_of(
    steps: list[Step], monkeypatch: pytest.MonkeyPatch, after_outage: timedelta | None = None
) -> list[float]:
    """How long it rests after each step, in seconds; it is cancelled when it has no more."""
    left: Iterator[Step] = iter(steps)
    rests: list[float] = []

    async def work() -> int | None:
        try:
            step = next(left)
        except StopIteration:
            raise asyncio.CancelledError from None
        if isinstance(step, Exception):
            raise step
        return step

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", rest)
    with suppress(asyncio.CancelledError):
        await keep_on("work", work, EVERY, after_outage)
    return rests


async def test_it_goes_on_after_an_outage_and_after_any_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Step] = [EngineUnavailable("away"), DatabaseUnavailable("away"), KeyError("a fault"), None]
    assert await pauses_of(steps, monkeypatch) == [3600.0] * 4


async def test_it_tries_sooner_after_an_outage_where_it_is_told_to(monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[Step] = [EngineUnavailable("away"), KeyError("a fault"), None]
    assert await pauses_of(steps, monkeypatch, AFTER_OUTAGE) == [60.0, 3600.0, 3600.0]


async def test_it_does_not_rest_while_there_is_something(monkeypatch: pytest.MonkeyPatch) -> None:
    assert await pauses_of([200, 3, 0, None], monkeypatch) == [3600.0, 3600.0]
