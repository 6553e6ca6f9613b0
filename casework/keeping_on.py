"""Work that goes on beside requests and workflows as long as its process lives, whatever happens to it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from casework.engine import EngineUnavailable
from models.database import DatabaseUnavailable

_log = structlog.get_logger(__name__)


async def keep_on(
    name: str,
    work: Callable[[], Awaitable[int | None]],
    every: timedelta,
    after_outage: timedelta | None = None,
) -> None:
    """Do `work` every so often until cancelled; at once again where it says how much it did.

    An outage is waited out (`after_outage` long, where that is given), and a fault is logged: what waits for
    the work must not wait for a restart of its process as well.
    """
    while True:
        pause, done = every, None
        try:
            done = await work()
        except (DatabaseUnavailable, EngineUnavailable) as error:
            pause = after_outage or every
            _log.warning(f"{name} waits", error=str(error)[:200])
        except Exception:
            _log.exception(f"{name} failed and goes on")
        if not done:
            await asyncio.sleep(pause.total_seconds())
