"""The figures of domain.md, section 9: ratios of sums over cases, each formula once.

What a case contributes: rules/facts.py. An empty denominator has no rate: None, shown as "—".
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from math import ceil

from rules.counts import Counts

NINETY = Fraction(9, 10)


@dataclass(frozen=True)
class Intake:
    """Cases by the instant they were received in: ``repeated`` had a like one in the 90 days before."""

    registered: int = 0
    consulted: int = 0
    out_of_scope: int = 0
    merged: int = 0
    repeated: int = 0

    def __add__(self, other: "Intake") -> "Intake":
        """Add two groups of cases."""
        return Intake(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


@dataclass(frozen=True)
class Rate:
    """A share; ``value`` is None where there was nothing to share."""

    part: int
    whole: int

    @property
    def value(self) -> Fraction | None:
        """Return the exact share."""
        return Fraction(self.part, self.whole) if self.whole else None


RATES: Mapping[str, tuple[str, str]] = {
    # N below each: handled cases.
    "on_time_rate": ("on_time", "handled"),
    "unit_on_time_rate": ("unit_on_time", "handled"),
    "on_time_rate_unextended": ("on_time_unextended", "handled"),
    "unit_on_time_rate_unextended": ("unit_on_time_unextended", "handled"),
    "sign_rate": ("signed", "dispatches"),
    "sign_in_time_rate": ("signed_in_time", "dispatches"),
    "response_rate": ("responded", "dispatched"),
    "satisfaction_first": ("satisfied_first", "rated_first"),
    "satisfaction_final": ("satisfied_final", "rated_final"),
    "revisit_rate": ("revisited", "told"),
    "reached_rate": ("reached", "revisited"),
    "return_rate": ("returns", "dispatches"),
    "refused_return_rate": ("refused_returns", "dispatches"),
    "escalation_rate": ("escalated", "handled"),
    "extension_rate": ("extended", "handled"),
    "reopen_rate": ("reopened", "handled"),
    "order_rate": ("ordered", "handled"),
}
"""Numerator and denominator of every rate that is a ratio of two sums."""


def rates(counts: Counts, intake: Intake) -> dict[str, Rate]:
    """Return every rate of a group of cases."""
    found = {name: Rate(getattr(counts, a), getattr(counts, b)) for name, (a, b) in RATES.items()}
    found["solved_rate"] = Rate(counts.solved, counts.solved + counts.unsolved)
    found["repeat_rate"] = Rate(intake.repeated, intake.registered)
    return found


@dataclass(frozen=True)
class Spread:
    """How a measure lies over cases; all None where there is no case.

    ``median`` lies halfway between the two in the middle of an even number. ``p90`` is the least value
    that nine of ten cases do not exceed (nearest rank).
    """

    cases: int = 0
    mean: Fraction | None = None
    median: Fraction | None = None
    p90: int | None = None


def spread(histogram: Iterable[tuple[int, int]]) -> Spread:
    """Return the spread of a measure given as pairs of a value and how many cases have it."""
    pairs = sorted(pair for pair in histogram if pair[1])
    cases = sum(n for _, n in pairs)
    if not cases:
        return Spread()
    total = sum(value * n for value, n in pairs)
    middle = Fraction(_at(pairs, (cases + 1) // 2) + _at(pairs, cases // 2 + 1), 2)
    return Spread(cases, Fraction(total, cases), middle, _at(pairs, ceil(NINETY * cases)))


def _at(pairs: Sequence[tuple[int, int]], rank: int) -> int:
    """Return the value of a rank, counted from 1."""
    for value, n in pairs:
        rank -= n
        if rank <= 0:
            return value
    raise ValueError("a rank beyond the last case")
