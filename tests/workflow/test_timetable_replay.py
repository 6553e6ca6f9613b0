"""Recorded histories of reporting and of the daily heads, replayed by today's code.

A hall's reporting and the heads run for years, each run for weeks: a release meets runs that began
under the one before it. Where one of these tests fails: docs/how-to/ship-a-workflow-change.md.
"""

from datetime import timedelta

import pytest
from temporalio.workflow import NondeterminismError

import workflows.evidence
import workflows.reporting
from rules.reporting import ReportKind
from tests.histories.timetables.record import (
    FOLDER,
    SPANS,
    read_golden,
    replayed,
    sum_of,
    sums,
)

REPORTING = [name for name, span in SPANS.items() if span.workflow is workflows.reporting.ReportingWorkflow]


def test_no_history_was_recorded_anew() -> None:
    """Each stands for runs that are under way somewhere: a line of SHA256SUMS is added, never changed."""
    assert {name: sum_of(name) for name in SPANS} == sums()
    assert {file.name.partition(".")[0] for file in FOLDER.glob("*.json*")} == set(SPANS)


@pytest.mark.parametrize("name", SPANS)
async def test_a_recorded_history_replays_to_its_golden_outcome(name: str) -> None:
    assert (await replayed(name)).values() == read_golden(name)


def test_the_histories_have_the_reports_of_a_week_and_of_a_month() -> None:
    """One is of before there were monthly reports: a run of those days goes on under today's code."""
    summaries = {name: {timer["summary"] for timer in read_golden(name)["timers"]} for name in REPORTING}
    words = workflows.reporting.REPORT_KIND
    weekly = {words[ReportKind.HALL_WEEKLY], words[ReportKind.CENTRE_WEEKLY]}
    monthly = {words[ReportKind.MONTHLY_LISTS], words[ReportKind.MONTHLY]}
    assert summaries == {"weekly_only": weekly, "two_months": weekly | monthly}


async def test_another_time_of_the_heads_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporal itself lets another length of a timer pass."""
    due = workflows.evidence.next_head_due
    monkeypatch.setattr(workflows.evidence, "next_head_due", lambda now: due(now) + timedelta(minutes=5))
    found, golden = (await replayed("evenings")).values(), read_golden("evenings")
    assert len(found["timers"]) == len(golden["timers"])
    assert found["timers"] != golden["timers"]


async def test_another_order_of_commands_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing() -> None:
        return None

    monkeypatch.setattr(workflows.evidence, "_publish", nothing)
    with pytest.raises(NondeterminismError):
        await replayed("evenings")
