"""What is made once and stays is out of the garbage collector's sight, also what the first requests make."""

import asyncio
import gc

import pytest

import processes
from processes import beside, keep_settled


async def test_what_the_first_requests_make_is_settled_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SETTLES_AGAIN", (0.2,))
    try:
        async with beside(keep_settled()) as settling:
            await asyncio.sleep(0.05)
            at_first = gc.get_freeze_count()
            made = [[each] for each in range(10_000)]
            await settling
            assert gc.get_freeze_count() > at_first + len(made) // 2 > len(made)
    finally:
        gc.unfreeze()
