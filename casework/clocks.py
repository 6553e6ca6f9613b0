"""The real clock: the only place of casework that reads the machine's time."""

from datetime import UTC, datetime


class MachineClock:
    """Tells the machine's time, in UTC."""

    async def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock that everybody else is given
