"""Workflow code of a release to come: some reminders are no longer sent. Cases that are open keep theirs.

An alarm that goes is a change of commands, so it is gated as docs/how-to/ship-a-workflow-change.md says;
`UngatedCase` is the same change by somebody who forgot.
"""

from dataclasses import replace

from temporalio import workflow

from models.messages import CaseInput, decode_state
from rules.calendar import Calendar
from rules.case import alarms
from rules.case.alarms import Alarm
from rules.case.state import CaseState, Fired
from rules.policy import Policy
from workflows.case import CASE, CaseWorkflow
from workflows.machine import Machine

GATE = "2027-03-fewer-reminders"
GONE = frozenset({"triage_late", "due_soon_1", "due_soon_2"})


def next_alarm(case: CaseState, policy: Policy, calendar: Calendar) -> Alarm | None:
    """Return the alarm to arm, as if those that are gone had fired."""
    while (alarm := alarms.next_alarm(case, policy, calendar)) and alarm.name in GONE:
        passed = tuple(Fired(each.key, each.at) for each in (alarm, *alarm.merged))
        case = replace(case, fired=(*case.fired, *passed))
    return alarm


CASE_BEFORE = CASE
CASE_NOW = replace(CASE, next_alarm=next_alarm)


@workflow.defn(name="Case")
class NextCase(CaseWorkflow):
    """The case, asked once at the start of a run which rules are its own."""

    @workflow.init
    def __init__(self, given: CaseInput) -> None:
        super().__init__(given)
        decider = CASE_NOW if workflow.patched(GATE) else CASE_BEFORE
        state = decode_state(given.state) if given.state else None
        self._machine = Machine(decider, given.case_id, given.terms, state, given.seq)
        self._machine.outside += given.outside

    @workflow.run
    async def run(self, given: CaseInput) -> None:
        """Live as ever."""
        await super().run(given)


@workflow.defn(name="Case")
class UngatedCase(CaseWorkflow):
    """The same without a gate."""

    @workflow.init
    def __init__(self, given: CaseInput) -> None:
        super().__init__(given)
        state = decode_state(given.state) if given.state else None
        self._machine = Machine(CASE_NOW, given.case_id, given.terms, state, given.seq)

    @workflow.run
    async def run(self, given: CaseInput) -> None:
        """Live as ever."""
        await super().run(given)
