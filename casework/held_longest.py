"""办事瓶颈: who held cases longest, which cause cost most working time, which matters come again.

Source: S0, 办事瓶颈; domain.md, section 9 (holding time).
"""

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from operator import add
from typing import Any

from rules.counts import COUNTED, Counts
from rules.holding import HOLDERS, Holder

SHOWN = 10
"""So many holders are named at most: the longest ones."""
OF_A_UNIT = (Holder.CONTACT, Holder.DEPUTY_LEADER)
Cells = Mapping[tuple[Any, ...], Sequence[int]]


def bottlenecks(handled: Cells, matters: Sequence[tuple[str, int, int]]) -> dict[str, Any]:
    """Return holders and causes by working hours, most first, and matters by how often they came."""
    return {
        "holders": _holders(handled),
        "causes": _causes(handled),
        "matters": [
            {"matter": matter, "registered": times, "repeated": repeated}
            for matter, times, repeated in matters
        ],
    }


def _holders(handled: Cells) -> list[dict[str, Any]]:
    found = []
    for (hall, unit), counts in _grouped(handled, lambda place: (place[0], place[1])).items():
        for holder in OF_A_UNIT:
            found.append((getattr(counts, f"{holder}_minutes"), holder, hall, unit, counts.handled))
    for (hall,), counts in _grouped(handled, lambda place: (place[0],)).items():
        for holder in HOLDERS:
            if holder not in OF_A_UNIT:
                found.append((getattr(counts, f"{holder}_minutes"), holder, hall, None, counts.handled))
    total = sum(minutes for minutes, *_ in found)
    longest = sorted((each for each in found if each[0]), key=lambda each: (-each[0], str(each[1:])))
    return [
        {
            "holder": holder,
            "hall": hall,
            "unit": unit,
            "handled": cases,
            "working_hours": _hours(minutes),
            "share": round(minutes / total, 4),
        }
        for minutes, holder, hall, unit, cases in longest[:SHOWN]
    ]


def _causes(handled: Cells) -> list[dict[str, Any]]:
    grouped = {cause: counts for (cause,), counts in _grouped(handled, lambda place: (place[3],)).items()}
    minutes = {cause: _held(counts) for cause, counts in grouped.items()}
    total = sum(minutes.values())
    ordered = sorted(grouped, key=lambda cause: (-minutes[cause], str(cause)))
    return [
        {
            "cause": cause,
            "handled": grouped[cause].handled,
            "on_time": grouped[cause].on_time,
            "working_hours": _hours(minutes[cause]),
            "hours_per_case": _hours(Fraction(minutes[cause], grouped[cause].handled))
            if grouped[cause].handled
            else None,
            "share": round(minutes[cause] / total, 4) if total else None,
        }
        for cause in ordered
    ]


def _held(counts: Counts) -> int:
    return sum(getattr(counts, f"{holder}_minutes") for holder in HOLDERS)


def _grouped(
    cells: Cells, key: Callable[[tuple[Any, ...]], tuple[Any, ...]]
) -> dict[tuple[Any, ...], Counts]:
    found: dict[tuple[Any, ...], list[int]] = {}
    for place, values in cells.items():
        found[key(place)] = list(map(add, found.get(key(place), [0] * len(COUNTED)), values))
    return {group: Counts(*values) for group, values in found.items()}


def _hours(minutes: Fraction | int) -> float:
    return round(float(minutes) / 60, 2)
