"""The 通报 as a rule: how it is numbered, and when one is serious (问责移送).

Whether a bulletin is issued is decided by people only; nothing here decides that. Source: S0, 督查问责;
domain.md, section 1 (the superior approves serious accountability referrals).
"""

import calendar
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum

from rules.calendar import local
from rules.case.vocabulary import Ground


class Serious(StrEnum):
    """Why an issued bulletin is referred upward."""

    REPEATED = "repeated"
    UNANSWERED_AGAIN = "unanswered_again"


@dataclass(frozen=True)
class Seriousness:
    """From when on a unit's bulletins are serious, within so many calendar months.

    - issued: this one is at least the so-manieth issued for the unit.
    - unanswered_after: an order was left unanswered though so many had been issued before.

    Source: policies/oversight/accountability.toml.
    """

    issued: int
    months: int
    unanswered_after: int


_UNITS = {"issued": "times", "months": "months", "unanswered_after": "times"}
MOST = 120


def parse_seriousness(text: str) -> Seriousness:
    """Return the values of a TOML text. Raises ValueError naming every fault."""
    given = tomllib.loads(text).get("serious", {})
    names = [field.name for field in fields(Seriousness)]
    faults = [f"{name}: missing" for name in names if name not in given]
    faults += [f"{name}: unknown" for name in given if name not in names]
    faults += [f"{name}: {fault}" for name in names if name in given and (fault := _fault(name, given[name]))]
    if faults:
        raise ValueError("faulty accountability rule: " + "; ".join(faults))
    return Seriousness(**{name: given[name]["value"] for name in names})


def _fault(name: str, entry: object) -> str | None:
    if not isinstance(entry, dict) or entry.keys() != {"value", "unit", "source"}:
        return "not a table of value, unit and source"
    value = entry["value"]
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST:
        return f"{value!r} is no whole number from 1 to {MOST}"
    return None if entry["unit"] == _UNITS[name] else f"the unit is {_UNITS[name]}"


def serious_because(
    ground: Ground, at: datetime, issued_before: Iterable[datetime], rule: Seriousness
) -> Serious | None:
    """Return why a bulletin issued at `at` is serious, None if it is not.

    `issued_before` are the instants at which others were issued for the same unit, of any age.
    """
    since = months_before(at, rule.months)
    recent = sum(since < each <= at for each in issued_before)
    if ground is Ground.ORDER_UNANSWERED and recent >= rule.unanswered_after:
        return Serious.UNANSWERED_AGAIN
    return Serious.REPEATED if recent + 1 >= rule.issued else None


def months_before(at: datetime, months: int) -> datetime:
    """Return the same time of day so many months earlier in Shanghai, the 31st where there is one."""
    there = local(at)
    year, month = divmod(there.year * 12 + there.month - 1 - months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return there.replace(year=year, month=month + 1, day=min(there.day, last))


def bulletin_number(year: int, serial: int) -> str:
    """Return the number as documents write it (发文字号): 通报〔2026〕1号."""
    return f"通报〔{year}〕{serial}号"
