"""A calendar as plain JSON values: what a workflow's input and a snapshot's row hold.

Free of tables and of the holiday library, since workflows import it.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import date, time
from functools import lru_cache
from typing import Any

from rules.calendar import Calendar


def calendar_values(calendar: Calendar) -> dict[str, Any]:
    """The calendar as JSON values, in an order that depends on nothing but its content."""
    return {
        "version": calendar.version,
        "off": _texts(calendar.off),
        "work": _texts(calendar.work),
        "published": sorted(calendar.published),
        "hours": [_texts(period) for period in calendar.hours],
    }


def calendar_from_values(values: Mapping[str, Any]) -> Calendar:
    """The calendar that calendar_values wrote. Raises KeyError or ValueError for anything else.

    The same values give the same object (which nothing changes): a worker holds thousands of cases, and
    they follow few calendars.
    """
    return _calendar(
        values["version"],
        tuple(values["off"]),
        tuple(values["work"]),
        tuple(values["published"]),
        tuple((begin, end) for begin, end in values["hours"]),
    )


@lru_cache(maxsize=256)
def _calendar(
    version: str,
    off: tuple[str, ...],
    work: tuple[str, ...],
    published: tuple[int, ...],
    hours: tuple[tuple[str, str], ...],
) -> Calendar:
    return Calendar(
        version=version,
        off=frozenset(map(date.fromisoformat, off)),
        work=frozenset(map(date.fromisoformat, work)),
        published=frozenset(published),
        hours=tuple((time.fromisoformat(a), time.fromisoformat(b)) for a, b in hours),
    )


def calendar_version(calendar: Calendar) -> str:
    """Twelve hex digits of SHA-256 over the content, whatever `version` it carries now."""
    content = calendar_values(calendar)
    del content["version"]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _texts(moments: Iterable[date] | Iterable[time]) -> list[str]:
    return sorted(moment.isoformat() for moment in moments)
