"""How long a case's personal data is kept once it is archived, and when its erasure is announced.

Section `[retention]` of a policy file. No case is pinned to it: a period that is shortened or prolonged
holds for every case under that policy whose data still stands. Source: design.md, Personal data.
"""

import calendar
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from rules.calendar import SHANGHAI, local

MOST_YEARS, MOST_DAYS = 100, 365
LONGEST_GAP = timedelta(days=14)  # [P]: an office that is closed over the longest holidays is well within it


@dataclass(frozen=True)
class Retention:
    """The defaults are proposals [P]: no source document names a period.

    - after_archiving: calendar years from the archiving to the erasure. Three, as long as a citizen may
      go to court (Civil Code 188); the law asks for the shortest period that the purpose needs
      (Personal Information Protection Law 19).
    - announced: days before it from which a case stands on the list of those to be erased.
    """

    after_archiving: int = field(default=3, metadata={"unit": "years", "most": MOST_YEARS})
    announced: int = field(default=30, metadata={"unit": "days", "most": MOST_DAYS})

    def ends(self, archived_at: datetime) -> datetime:
        """Return the instant from which the data of a case archived then is erased."""
        return years_after(archived_at, self.after_archiving)

    def over(self, now: datetime) -> datetime:
        """Return the latest instant of archiving whose period has ended by `now`."""
        return years_after(now, -self.after_archiving)

    def announced_to(self, now: datetime) -> datetime:
        """Return the latest instant of archiving whose erasure is announced by `now`."""
        return self.over(now + timedelta(days=self.announced))

    def seen_since(self, now: datetime) -> datetime:
        """Return the earliest instant that `announcement_passed` asks for."""
        return now - timedelta(days=self.announced) - LONGEST_GAP

    def announcement_passed(self, seen: Iterable[datetime], now: datetime) -> bool:
        """Tell whether the announced days before `now` have really passed: seen, without a long gap.

        A clock that was set ahead leaves a gap in what is seen every night. What it would erase at once
        is then on the list for the announced days first, for somebody to notice.
        """
        first = now - timedelta(days=self.announced)
        instants = sorted(at for at in seen if self.seen_since(now) <= at <= now)
        steps = pairwise([*instants, now])
        return bool(instants) and instants[0] <= first and all(b - a <= LONGEST_GAP for a, b in steps)


def years_after(at: datetime, years: int) -> datetime:
    """Return the same time of day in Shanghai so many years on; 29 February becomes the 28th.

    Raises ValueError beyond the years that a datetime knows.
    """
    there = local(at)
    year = there.year + years
    day = min(there.day, calendar.monthrange(year, there.month)[1])
    return there.replace(year=year, day=day, tzinfo=SHANGHAI).astimezone(at.tzinfo)


def parse_retention(text: str) -> Retention:
    """Return the section `[retention]` of a policy file; what it does not say is as proposed.

    Raises ValueError for an unknown key, a wrong value or unit, and one without a source.
    """
    section = tomllib.loads(text).get("retention", {})
    known = {declared.name: declared.metadata for declared in fields(Retention)}
    if not isinstance(section, dict) or section.keys() - known.keys():
        raise ValueError(f"[retention] knows {', '.join(sorted(known))}, and no other keys")
    return Retention(**{name: _amount(name, entry, known[name]) for name, entry in section.items()})


def _amount(name: str, entry: object, rule: Mapping[str, Any]) -> int:
    if not isinstance(entry, Mapping) or entry.keys() != {"value", "unit", "source"}:
        raise ValueError(f"{name}: not a table of value, unit and source")
    value, unit, source = entry["value"], entry["unit"], entry["source"]
    if unit != rule["unit"] or not (isinstance(source, str) and source.strip()):
        raise ValueError(f"{name}: the unit is {rule['unit']}, and it has a source")
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= rule["most"]:
        raise ValueError(f"{name}: {value!r} is no whole number from 1 to {rule['most']}")
    return value
