"""The weights of a unit's score: the part [score] of a policy file. Source: S1 (bonus); the rest [P].

They are versioned by themselves: a score is made of many cases that are pinned to versions of their
own, so no case is pinned to weights, and a change of them touches no case.
"""

import tomllib
from dataclasses import dataclass, fields
from typing import Any

MOST = 1000


@dataclass(frozen=True)
class Weights:
    """Points of a full part, points off for each deduction, and how few cases are too few to rank.

    ``bonus_hard_case`` is for each complex or referred case that was solved, ``bonus_most`` in all.
    """

    version: str = "1"
    on_time: int = 30
    solved: int = 25
    satisfaction: int = 25
    response: int = 10
    close_out: int = 10
    refused_return: int = 1
    order: int = 2
    bulletin: int = 5
    bonus_hard_case: int = 1
    bonus_most: int = 5
    least_cases: int = 5


PARTS = ("on_time", "solved", "satisfaction", "response", "close_out")
DEDUCTIONS = ("refused_return", "order", "bulletin")


def parse_weights(text: str) -> Weights:
    """Return the weights written in a policy file; the proposed ones where it has no part [score].

    Raises ValueError that names every fault.
    """
    section = tomllib.loads(text).get("score")
    if section is None:
        return Weights()
    known = {f.name for f in fields(Weights)}
    faults = [f"missing: {name}" for name in sorted(known - section.keys())]
    faults += [f"unknown: {name}" for name in sorted(section.keys() - known)]
    values: dict[str, Any] = {}
    for name in sorted(known & section.keys()):
        entry = section[name]
        values[name] = entry if name == "version" else _amount(name, entry, faults)
    if "version" in values and not (isinstance(values["version"], str) and values["version"].strip()):
        faults.append("version: not a text")
    if not faults and not any(values[name] for name in PARTS):
        faults.append("no part has any weight")
    if faults:
        raise ValueError("faulty [score]: " + "; ".join(faults))
    return Weights(**values)


def _amount(name: str, entry: object, faults: list[str]) -> int:
    if not isinstance(entry, dict) or entry.keys() != {"value", "unit", "source"}:
        faults.append(f"{name}: not a table of value, unit and source")
        return 0
    value = entry["value"]
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST:
        faults.append(f"{name}: {value!r} is no whole number from 0 to {MOST}")
    unit = "cases" if name == "least_cases" else "points"
    if entry["unit"] != unit:
        faults.append(f"{name}: the unit is {unit}")
    if not isinstance(entry["source"], str) or not entry["source"].strip():
        faults.append(f"{name}: no source")
    return value if isinstance(value, int) else 0
