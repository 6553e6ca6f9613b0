"""The score of a unit: parts, deductions, bonus, and where each point was lost. Source: S1; the rest [P].

Weights: rules/weights.py.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from rules.counts import Counts
from rules.figures import Rate
from rules.weights import DEDUCTIONS, PARTS, Weights


@dataclass(frozen=True)
class Part:
    """One part of a score. ``weight`` already holds what missing parts gave up; ``missed`` are cases."""

    name: str
    weight: Fraction
    rate: Rate
    points: Fraction | None

    @property
    def lost(self) -> Fraction:
        """Return the points that this part lost; a missing part loses none."""
        return Fraction(0) if self.points is None else self.weight - self.points

    @property
    def missed(self) -> int:
        """Return how many cases the loss comes from."""
        return self.rate.whole - self.rate.part


@dataclass(frozen=True)
class Deduction:
    """Points off: so many times so much."""

    name: str
    times: int
    each: int

    @property
    def lost(self) -> int:
        """Return the points off."""
        return self.times * self.each


@dataclass(frozen=True)
class Score:
    """A unit's score; ``total`` is None where no part could be judged.

    ``enough``: it had cases enough to be ranked, else "样本不足".
    """

    cases: int
    parts: tuple[Part, ...]
    deductions: tuple[Deduction, ...]
    bonus: int
    total: Fraction | None
    enough: bool


def score(
    counts: Counts, bulletins: int = 0, weights: Weights | None = None, close_out: Rate | None = None
) -> Score:
    """Return the score of a unit's cases of a period.

    Lateness that was excused is taken out of the part on time, from above and below the line: it is
    shown apart, and is no fault of the unit's. ``close_out`` is None until there are items due.
    """
    weights = weights or Weights()
    shares = {
        "on_time": Rate(counts.unit_on_time, counts.handled - counts.unit_excused),
        "solved": Rate(counts.solved, counts.solved + counts.unsolved),
        "satisfaction": Rate(counts.satisfied_final, counts.rated_final),
        "response": Rate(counts.responded, counts.dispatched),
        "close_out": close_out or Rate(0, 0),
    }
    parts = _parts(shares, weights)
    times = {"refused_return": counts.refused_returns, "order": counts.orders, "bulletin": bulletins}
    deductions = tuple(Deduction(name, times[name], getattr(weights, name)) for name in DEDUCTIONS)
    bonus = min(weights.bonus_most, counts.hard_solved * weights.bonus_hard_case)
    points = [part.points for part in parts if part.points is not None]
    total = sum(points, Fraction(bonus)) - sum(d.lost for d in deductions) if points else None
    enough = counts.handled >= weights.least_cases and total is not None
    return Score(counts.handled, parts, deductions, bonus, total, enough)


def _parts(shares: Mapping[str, Rate], weights: Weights) -> tuple[Part, ...]:
    """Give what missing parts weigh to the others, each in proportion to its own weight."""
    whole = sum(getattr(weights, name) for name in PARTS)
    present = sum(getattr(weights, name) for name in PARTS if shares[name].whole)
    made = []
    for name in PARTS:
        rate, own = shares[name], getattr(weights, name)
        weight = Fraction(own * whole, present) if rate.whole and present else Fraction(0)
        points = None if rate.value is None else weight * rate.value
        made.append(Part(name, weight, rate, points))
    return tuple(made)


def ranks(scores: Sequence[Score]) -> list[int | None]:
    """Return the rank of each score from 1; ties, to the hundredth that is shown, share one.

    None for who has too few cases: such a unit takes no rank from another.
    """
    shown = [round(s.total, 2) if s.enough and s.total is not None else None for s in scores]
    ranked = [total for total in shown if total is not None]
    return [None if total is None else 1 + sum(other > total for other in ranked) for total in shown]
