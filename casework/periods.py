"""The period that figures are asked for."""

from datetime import datetime, time, timedelta
from typing import Any

from casework.errors import BadInput
from casework.figures import MONTHS, Asked
from casework.services import Services
from rules.calendar import SHANGHAI, local

_DAY = timedelta(days=1)


async def asked_for(
    services: Services, start: datetime | None, end: datetime | None, **narrowed: Any
) -> Asked:
    """Return what is asked for: up to and with today, and from the beginning of twelve months.

    Raises `BadInput` for a period that ends before it begins.
    """
    if end is None:
        today = local(await services.clock.now()).date()
        end = datetime.combine(today + _DAY, time(), SHANGHAI)
    if start is None:
        last = local(end - timedelta(microseconds=1)).date().replace(day=1)
        months = last.year * 12 + last.month - MONTHS  # counted from 0: January of year 0
        first = last.replace(year=months // 12, month=months % 12 + 1)
        start = datetime.combine(first, time(), SHANGHAI)
    if start >= end:
        raise BadInput({"to": "out_of_range"})
    return Asked(start, end, **narrowed)
