"""The units in order of their scores, with the parts of each and where its points were lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import add
from typing import Any

from casework.places import Places
from casework.services import Services
from models.policies import policy_texts
from rules.counts import Counts
from rules.score import Score, ranks, score
from rules.weights import Weights, parse_weights


@dataclass(frozen=True)
class Standing:
    """A unit's score and rank; ``rank`` is None where it has too few cases (样本不足)."""

    hall: str
    unit: str
    name: str
    rank: int | None
    score: Score
    weights: Weights

    def shown(self) -> dict[str, Any]:
        """Return it as JSON values; points to two decimals."""
        return {
            "rank": self.rank,
            "hall": self.hall,
            "unit": self.unit,
            "name": self.name,
            "cases": self.score.cases,
            "enough": self.score.enough,
            "score": _points(self.score.total),
            "parts": [
                {
                    "part": part.name,
                    "weight": _points(part.weight),
                    "points": _points(part.points),
                    "lost": _points(part.lost),
                    "reached": part.rate.part,
                    "of": part.rate.whole,
                    "missed": part.missed,
                }
                for part in self.score.parts
            ],
            "deductions": [
                {"deduction": each.name, "times": each.times, "each": each.each, "lost": each.lost}
                for each in self.score.deductions
            ],
            "bonus": self.score.bonus,
            "weights_version": self.weights.version,
        }


def weights_of(services: Services, policies: Mapping[str, str]) -> dict[str, Weights]:
    """Return the weights of each hall, from the file of its policy (`policies`: hall → policy)."""
    texts = policy_texts(services.policies_folder)
    return {hall: parse_weights(texts.get(policy, "")) for hall, policy in policies.items()}


def ranking(
    handled: Mapping[tuple[Any, ...], Sequence[int]],
    bulletins: Mapping[tuple[str, str], int],
    weights: Mapping[str, Weights],
    places: Places,
) -> list[Standing]:
    """Return the units that handled cases, best first; then those with too few cases."""
    sums: dict[tuple[str, str], Sequence[int]] = {}
    for (hall, unit, _, _), values in handled.items():
        if unit is not None:
            at = (hall, unit)
            sums[at] = list(map(add, sums[at], values)) if at in sums else values
    scored = {
        at: score(Counts(*values), bulletins.get(at, 0), weights.get(at[0])) for at, values in sums.items()
    }
    ranked = zip(scored.items(), ranks(list(scored.values())), strict=True)
    found = [
        Standing(hall, unit, places.unit(hall, unit) or unit, rank, each, weights.get(hall) or Weights())
        for ((hall, unit), each), rank in ranked
    ]
    return sorted(found, key=lambda s: (s.rank is None, s.rank or 0, -s.score.cases, s.hall, s.unit))


def _points(value: Fraction | int | None) -> float | None:
    return None if value is None else round(float(value), 2)
