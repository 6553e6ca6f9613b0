"""Reporting as a durable workflow, one for each hall: it sleeps until a date of the working calendar.

Temporal's schedules know no 调休, so the next report is a timer that a new calendar moves. A worker
that was away over a cut-off makes every report that it missed, one after the other, and each says
when it was due and when it was made. Source: domain.md, section 8.
"""

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from activities.reporting import ReportingActivities
from models.reporting import DueRequest, ReportingInput
from rules.report_words import REPORT_KIND
from rules.reporting import Due
from workflows.queues import REPORTING

_PAUSE = timedelta(minutes=1)
_ONE_TRY, _ALL_TRIES = timedelta(minutes=5), timedelta(minutes=10)


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
        """Make what is due, sleep until the next is; go on as new once the history is long enough."""
        while not workflow.info().is_continue_as_new_suggested():
            self._calendar_changed = False
            due = await self._make_due()
            if due is None:
                await workflow.sleep(_PAUSE, summary="稍后再试")
            elif due.at > workflow.now():
                await self._sleep(due)
        workflow.continue_as_new(ReportingInput(self._hall, self._since))

    @workflow.signal
    def calendar_changed(self) -> None:
        """The hall's calendar is another one: what comes next is to be reckoned again."""
        self._calendar_changed = True

    async def _make_due(self) -> Due | None:
        """Have the report made that is due now, if one is; return what comes next, None for an outage.

        An outage is not waited out in one activity: a report says when it was made, by this clock.
        """
        try:
            due = await workflow.execute_activity_method(
                ReportingActivities.make_due,
                DueRequest(self._hall, self._since, workflow.now()),
                task_queue=REPORTING,
                summary="生成到期的报告",
                start_to_close_timeout=_ONE_TRY,
                schedule_to_close_timeout=_ALL_TRIES,
                retry_policy=RetryPolicy(maximum_interval=_PAUSE),
            )
        except ActivityError as error:
            workflow.logger.warning("no report could be made, and it is tried again", exc_info=error)
            return None
        workflow.set_current_details(f"下一期：{REPORT_KIND[due.kind]} · {due.at.isoformat()}")
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
