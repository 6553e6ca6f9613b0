"""Who held a case for how long, as a bar: where each stretch begins and how wide it is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Segment:
    """A stretch of the bar; ``start`` and ``width`` are hundredths of the whole."""

    holder: str
    unit: str | None
    hours: float
    start: float
    width: float


def segments(holding: Mapping[str, Any] | None) -> list[Segment]:
    """Return the stretches that took any working time, in order; none where nothing took any."""
    total = holding["total_working_hours"] if holding else 0
    if not holding or not total:
        return []
    found, start = [], 0.0
    for each in holding["items"]:
        width = 100 * each["working_hours"] / total
        if width:
            found.append(
                Segment(each["holder"], each["unit"], each["working_hours"], round(start, 2), round(width, 2))
            )
        start += width
    return found
