"""The counts of a report: what happened in its period, and how things stood at the cut-off."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.report_cases import Told
from models.case import LedgerEvent
from rules.case.state import CaseState
from rules.case.vocabulary import Kind, Level, Light, Status
from rules.words import KIND, OUTCOME, STATUS

_ORDERS = frozenset({"order", "overdue_2"})
_REOPENED = frozenset({Status.HANDLING, Status.REGISTERED})


@dataclass
class Figures:
    """Counts, filled case by case. `units` by the code of the unit.

    What happened belongs to the unit that had the case then, how it stands to the one that has it.
    """

    period: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    standing: Counter[str] = field(default_factory=Counter)
    units: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Count a case."""
        state = told.state
        happened, stands = _happened(told), _stands(told)
        period = sum(happened.values(), Counter[str]())
        self.period += period
        if told.is_new:
            self.kinds[state.kind or "untriaged"] += 1
        if period["closed"] and state.outcome:
            self.outcomes[state.outcome] += 1
        if state.is_open:
            self.standing[f"status.{state.status}"] += 1
        self.standing += stands
        for unit, counts in [*happened.items(), (state.unit, stands)]:
            if unit and counts:
                self.units.setdefault(unit, Counter()).update(counts)

    def values(self) -> dict[str, Any]:
        """Return them as JSON values, in an order of their own."""
        return {
            "period": _sorted(self.period),
            "kinds": _sorted(self.kinds),
            "outcomes": _sorted(self.outcomes),
            "standing": _sorted(self.standing),
            "units": {unit: _sorted(counts) for unit, counts in sorted(self.units.items())},
        }


def _happened(told: Told) -> dict[str | None, Counter[str]]:
    """Count the news of a case by the unit that each piece of it belongs to; None: the hall alone."""
    late = {row.seq for row in told.late}
    # Closed twice, after it was opened again, is closed once.
    closings = [row.seq for row in told.fresh if row.changes.get("closed_at") and not told.state.is_open]
    found: dict[str | None, Counter[str]] = {}
    for row, before, after in told.news:
        counts = _counted(row)
        counts["late"] = int(row.seq in late)
        counts["closed"] = int(row.seq in closings[-1:])
        found.setdefault(_unit_of(told, row, before, after), Counter()).update(+counts)
    return found


def _counted(row: LedgerEvent) -> Counter[str]:
    """Count an event. The first one carries every field of a case: it is no dispatch, no extension."""
    kind, changes = row.type, row.changes
    if kind == "registered":
        return Counter(registered=1)
    return Counter(
        told=int(kind == "check_reply" and changes.get("status") == Status.REVISITING),
        reopened=int(kind == "judge_revisit" and changes.get("status") in _REOPENED),
        dispatched=int("dispatches" in changes),
        extensions=int("extensions" in changes),
        orders=int(kind in _ORDERS),
        returns=int(kind == "return_order"),
        reminders=int(kind == "remind"),
    )


def _unit_of(told: Told, row: LedgerEvent, before: CaseState | None, after: CaseState) -> str | None:
    """Return the unit that an event belongs to, as the figures give it out (rules/facts_parts.py).

    That is the one that had the case before it; a dispatch belongs to the one that gets the case, the
    registration to the first one that got it.
    """
    if before is None:
        return next((each.unit for each in told.states if each.unit), None)
    return after.unit if "dispatches" in row.changes else before.unit


def _stands(told: Told) -> Counter[str]:
    state = told.state
    if not state.is_open:
        return Counter()
    return +Counter(
        open=1,
        overdue=int(state.light is Light.RED),
        warned=int(state.light is Light.YELLOW),
        complex=int(state.kind is Kind.COMPLEX),
        leader=int(state.level is Level.DEPUTY_LEADER),
        supervision=int(state.level is Level.SUPERVISION),
        referred=int(state.referred),
        orders_open=sum(order.answered_at is None for order in state.orders),
    )


def _sorted(counts: Mapping[str, int]) -> dict[str, int]:
    return {str(name): counts[name] for name in sorted(counts, key=str) if counts[name]}


PERIOD = {
    "registered": "本期登记",
    "dispatched": "转办(含改派)",
    "told": "答复并告知",
    "closed": "本期办结",
    "returns": "退单",
    "extensions": "批准延期",
    "reminders": "催办",
    "orders": "督办单",
    "reopened": "重新办理",
    "late": "补报事项",
}
STANDING = {
    "open": "期末在办",
    "warned": "其中预警",
    "overdue": "其中超期",
    "leader": "由分管领导协调",
    "supervision": "升级到监督层级",
    "referred": "已上报上级",
    "orders_open": "督办单未答复",
}
UNIT = {
    "registered": "本期登记",
    "closed": "本期办结",
    "open": "期末在办",
    "overdue": "超期",
    "returns": "退单",
    "orders": "督办单",
}
"""What documents and pages call the counts, in the order in which they show them."""


def lines(figures: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, int]]]]:
    """Return the counts as documents show them: groups with their lines, in Chinese."""
    standing = figures["standing"]
    kinds = [(KIND[kind], figures["kinds"].get(kind, 0)) for kind in KIND]
    untriaged = figures["kinds"].get("untriaged", 0)
    return [
        ("本期情况", _lines(PERIOD, figures["period"])),
        ("本期登记的类别", kinds + ([("待分派", untriaged)] if untriaged else [])),
        ("本期办结的结果", _lines(OUTCOME, figures["outcomes"])),
        ("期末情况", _lines(STANDING, standing)),
        ("期末在办的状态", _present(standing)),
    ]


def _lines(words: Mapping[str, str], counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return [(word, counts.get(name, 0)) for name, word in words.items()]


def _present(standing: Mapping[str, int]) -> list[tuple[str, int]]:
    found = ((word, standing.get(f"status.{status}", 0)) for status, word in STATUS.items())
    return [(word, count) for word, count in found if count]


def unit_lines(figures: Mapping[str, Any], names: Mapping[str, str]) -> list[list[str]]:
    """Return the counts by unit, as rows of a table under `UNIT`."""
    return [
        [names.get(unit, unit), *(str(counts.get(name, 0)) for name in UNIT)]
        for unit, counts in figures["units"].items()
    ]
