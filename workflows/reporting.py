"""Reporting as a durable workflow, one for each hall: it sleeps until a date of the working calendar.

Temporal's schedules know no 调休, so the next report is a timer that a new calendar moves. A worker
that was away over a cut-off makes every report that it missed, one after the other, and each says
when it was due and when it was made. Source: domain.md, section 8.
"""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from activities.reporting import ReportingActivities
    from models.reporting import MakeRequest, PlanRequest, ReportingInput
    from rules.report_words import REPORT_KIND
    from rules.reporting import Due

_UNTIL_IT_WORKS = RetryPolicy(maximum_interval=timedelta(minutes=1))


@workflow.defn(name="Reporting")
class ReportingWorkflow:
    """Makes the reports of a hall. Workflow id: ``reporting-<hall>``."""

    @workflow.init
    def __init__(self, given: ReportingInput) -> None:
        """Begin with nothing planned; a signal may come with the start."""
        self._hall = given.hall
        self._since: datetime = given.since or workflow.now()
        self._calendar_changed = False

    @workflow.run
    async def run(self, given: ReportingInput) -> None:
        """Plan, sleep, plan again, make; until the history is long enough, then go on as new."""
        while not workflow.info().is_continue_as_new_suggested():
            self._calendar_changed = False
            due = await self._next()
            if due.at <= workflow.now():
                await self._make(due)
            else:
                await self._sleep(due)
        workflow.continue_as_new(ReportingInput(self._hall, self._since))

    @workflow.signal
    def calendar_changed(self) -> None:
        """The hall's calendar is another one: what comes next is to be reckoned again."""
        self._calendar_changed = True

    async def _next(self) -> Due:
        due = await workflow.execute_activity_method(
            ReportingActivities.next_report,
            PlanRequest(self._hall, self._since),
            summary="下一期报告",
            start_to_close_timeout=timedelta(seconds=30),
            retry_policy=_UNTIL_IT_WORKS,
        )
        workflow.set_current_details(f"{REPORT_KIND[due.kind]} · {due.at.isoformat()}")
        return due

    async def _sleep(self, due: Due) -> None:
        """Sleep until the report is due; a new calendar ends the sleep."""
        try:
            await workflow.wait_condition(
                lambda: self._calendar_changed,
                timeout=due.at - workflow.now(),
                timeout_summary=REPORT_KIND[due.kind],
            )
        except TimeoutError:
            return

    async def _make(self, due: Due) -> None:
        await workflow.execute_activity_method(
            ReportingActivities.make_report,
            MakeRequest(self._hall, due, workflow.now()),
            summary=f"生成{REPORT_KIND[due.kind]}",
            start_to_close_timeout=timedelta(minutes=10),
            retry_policy=_UNTIL_IT_WORKS,
        )
