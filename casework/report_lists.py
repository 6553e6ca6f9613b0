"""The three lists of a month: problems, demands and measures (问题/需求/措施清单), and their counts.

S3 asks each month for what was found, what the units need from others to mend it, and what was done.
Here they are drawn from the cases of the window; which case stands on which list is a proposal [P].
Source: S3, 建立台账清单; domain.md, sections 8 and 10.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from casework.moments import shown
from casework.report_cases import Told
from models.case import LedgerEvent
from rules.case.vocabulary import Cause, Kind, Level, Outcome
from rules.report_words import CAUSES, NO_CAUSE
from rules.words import CAUSE

Values = dict[str, Any]

# What no unit can mend alone, whatever its people do.
_BEYOND_A_UNIT = frozenset({Cause.POLICY_GAP, Cause.NO_CLASSIFICATION, Cause.SYSTEM_BARRIER, Cause.LEGACY})
_NO_PROBLEM = frozenset({Kind.CONSULTATION, Kind.OUT_OF_SCOPE})
_TEXT = {
    **{name: "text" for name in ("coordinate", "opine", "referral_reply", "reply")},
    **{"convene": "place", "refer_up": "reason", "archive": "lesson"},
}
"""Which events are measures, and the typed text that says what was done."""


def problem(told: Told) -> Values | None:
    """Return what the list of problems says of a case: it is new, or not done with at the cut-off.

    A consultation, and what is no matter of the hall, is no problem; a merged one is its elder's.
    """
    state = told.state
    merged = not state.is_open and state.outcome is Outcome.MERGED
    if state.kind in _NO_PROBLEM or merged or not (told.is_new or state.is_open):
        return None
    outcome = None if state.is_open else state.outcome
    return {"problem": told.texts.get("problem"), "cause": state.cause, "outcome": outcome}


def demand(told: Told) -> Values | None:
    """Return what the unit of a problem needs from others; None where it needs nothing."""
    found = problem(told)
    state = told.state
    needs = [
        *([str(state.cause)] if state.cause in _BEYOND_A_UNIT else []),
        *(["joint"] if state.co_units else []),
        *([f"level.{state.level}"] if state.level is not Level.CONTACT else []),
        *(["limit_asked"] if state.limit_asked else []),
        *(["referred"] if state.referred else []),
    ]
    return found | {"needs": needs} if found and needs else None


def measures(told: Told) -> Values | None:
    """Return what was done about a case in the period; None where nothing was."""
    if told.state.kind in _NO_PROBLEM:
        return None
    fresh = {row.seq for row in told.fresh}
    done = [
        {"at": shown(row.at), "type": _measure(row), "text": texts[_TEXT[row.type]]}
        for row, texts in told.rows
        if row.seq in fresh and row.type in _TEXT and texts.get(_TEXT[row.type])
    ]
    if not done:
        return None
    outcome = None if told.state.is_open else told.state.outcome
    return {"measures": done, "cause": told.state.cause, "outcome": outcome}


def _measure(row: LedgerEvent) -> str:
    return "explanation" if row.type == "reply" and row.data.get("resolved") is False else row.type


@dataclass
class Causes:
    """How many stand on each list, by cause; filled case by case."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """Count a case."""
        found = {"problems": problem(told), "demands": demand(told), "measures": measures(told)}
        counts = Counter({name: 1 for name, each in found.items() if each})
        counts["measures"] = len((found["measures"] or {}).get("measures", ()))
        if found["problems"]:
            counts["registered"], counts["open"] = int(told.is_new), int(told.state.is_open)
        if +counts:
            self.counts.setdefault(told.state.cause or NO_CAUSE, Counter()).update(counts)

    def values(self) -> dict[str, dict[str, int]]:
        """Return them as JSON values, in the order of the causes."""
        return {
            cause: {name: self.counts[cause][name] for name in CAUSES}
            for cause in (*CAUSE, NO_CAUSE)
            if cause in self.counts
        }


def cause_lines(values: Mapping[str, Mapping[str, int]]) -> tuple[list[str], list[list[str]]]:
    """Return the counts as a table of documents: its head, then a line for each cause, then the sum."""
    rows = [
        [CAUSE.get(cause, "未定成因"), *(str(counts[name]) for name in CAUSES)]
        for cause, counts in values.items()
    ]
    total = ["合计", *(str(sum(counts[name] for counts in values.values())) for name in CAUSES)]
    return ["成因", *CAUSES.values()], [*rows, total] if rows else []
