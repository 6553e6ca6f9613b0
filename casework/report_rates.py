"""The rates of a summary: of the cases that came to count in its period, by their ledgers at its cut-off.

The formulas are those of the figures (rules/figures.py), and a case is judged as it is there
(rules/facts.py), by its ledger up to the cut-off and under the terms that it is pinned to: a report
that is run again says the same, whatever has become of its cases since then.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sqlmodel.ext.asyncio.session import AsyncSession

from casework.pinned import PinnedTerms
from casework.report_cases import Told
from rules.counts import Counts
from rules.facts import facts_of, outline
from rules.figures import Intake, Rate, rates
from rules.reporting import Due

RATE = {
    "on_time_rate": "按时率",
    "solved_rate": "解决率",
    "satisfaction_final": "满意率(最终)",
    "response_rate": "及时回应率",
}
"""Which rates documents show and what they call them, as the figures' page does, in their order."""
HANDLED = "办理件"
WHOLE_HALL = "全大厅"


@dataclass
class Rates:
    """Sums over the cases that came to count in a report's period: of the hall, and by unit."""

    due: Due
    terms: PinnedTerms = field(default_factory=PinnedTerms)
    hall: Counts = field(default_factory=Counts)
    units: dict[str, Counts] = field(default_factory=dict)

    async def add(self, session: AsyncSession, told: Told) -> None:
        """Count a case, if it came to count in this period."""
        state = told.state
        if not comes_to_count(told, self.due):
            return
        pinned = await self.terms.at(session, state)
        counts = facts_of(told.events, pinned.policy, pinned.calendar).counts
        self.hall += counts
        if state.unit:
            self.units[state.unit] = self.units.get(state.unit, Counts()) + counts

    def values(self) -> dict[str, Any]:
        """Return them as JSON values: N, and numerator and denominator of each rate."""
        return {
            "hall": _values(self.hall),
            "units": {unit: _values(counts) for unit, counts in sorted(self.units.items())},
        }


def comes_to_count(told: Told, due: Due) -> bool:
    """Whether a case is one of those that a report's rates are of.

    It counts in the period of the earlier of due time and accepted reply, as everywhere. But a reply of
    one period that is accepted in the next, and what reached the ledger too late, was not known to the
    report before: it counts in the first one that knows it.
    """
    at = outline(told.state).counts_at
    if at is None or at > due.end:
        return False
    if at > due.start:
        return True
    known = outline(told.before).counts_at if told.before else None
    return bool(told.fresh) and (known is None or known > due.start)


def _values(counts: Counts) -> dict[str, Any]:
    found = rates(counts, Intake())
    return {"handled": counts.handled} | {name: [found[name].part, found[name].whole] for name in RATE}


def rate_lines(
    values: Mapping[str, Any], names: Mapping[str, str]
) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    """Return the rates as a table of documents: its head, then the hall's line and one for each unit."""
    rows = [_row(WHOLE_HALL, values["hall"])]
    rows += [_row(names.get(unit, unit), each) for unit, each in values["units"].items()]
    return ["范围", HANDLED, *RATE.values()], rows


def _row(name: str, of: Mapping[str, Any]) -> list[str]:
    return [name, str(of["handled"]), *(percent(Rate(*of[rate]).value) for rate in RATE)]


def percent(value: Fraction | None) -> str:
    """Return a share as the figures' page shows it: 96.3%, — where there is nothing to share."""
    return "—" if value is None else f"{float(value) * 100:.1f}%"
