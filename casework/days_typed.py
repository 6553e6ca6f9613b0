"""Dates as people type the days of a notice: one after the other, or from one to another."""

import hashlib
import re
from datetime import date, timedelta

from casework.drafts import Draft

MOST = 400  # days of one list
_SEPARATORS = re.compile(r"[\s,;，；、]+")
_RANGE = re.compile(r"\s*(?:~|～|至)\s*")
_DAY = r"\d{4}-\d{2}-\d{2}"
_PART = re.compile(rf"({_DAY})(?:[~～至]({_DAY}))?", re.ASCII)


def read_days(text: str) -> tuple[frozenset[date], list[str]]:
    """Return the days of a text (`2027-01-01, 2027-02-05 至 2027-02-11`), and what is no day."""
    days: set[date] = set()
    unreadable: list[str] = []
    for part in filter(None, _SEPARATORS.split(_RANGE.sub("~", text))):
        found = _PART.fullmatch(part)
        try:
            if found is None:
                raise ValueError
            first = date.fromisoformat(found[1])
            last = date.fromisoformat(found[2]) if found[2] else first
            if not 0 <= (last - first).days < MOST:
                raise ValueError
        except ValueError:
            unreadable.append(part)
        else:
            days |= {first + timedelta(offset) for offset in range((last - first).days + 1)}
    return frozenset(days), unreadable


def write_days(days: frozenset[date]) -> str:
    """Return days as `read_days` reads them, those in a row as one part."""
    parts: list[list[date]] = []
    for day in sorted(days):
        if parts and day - parts[-1][-1] == timedelta(1):
            parts[-1].append(day)
        else:
            parts.append([day])
    return "\n".join(str(row[0]) if len(row) == 1 else f"{row[0]} 至 {row[-1]}" for row in parts)


def digest_of(draft: Draft) -> str:
    """Return a digest of a notice: what is confirmed must be what was looked at."""
    seen = repr((draft.year, draft.hall, sorted(draft.off), sorted(draft.work), draft.source))
    return hashlib.sha256(seen.encode()).hexdigest()
