"""Re-arming as a durable workflow: after a calendar was published, every case hears of it.

Cases are told in sweeps until a sweep finds nobody left: a case that was being filed while the
notice was loaded is found by a later one. Source: domain.md, section 3, point 5.
"""

from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError

from activities.calendar import CalendarActivities
from models.rearming import Publication, SweepRequest

SWEEPS = 8
SETTLE = timedelta(seconds=30)  # longer than a filing is under way; doubled after each look


@workflow.defn(name="ReArm")
class ReArmWorkflow:
    """Tells the cases of a published calendar. Workflow id: ``calendar-<version>``."""

    @workflow.init
    def __init__(self) -> None:
        """Begin with nothing published; a signal always comes with the start."""
        self._published: list[Publication] = []
        # How often the cases of a hall (None: of all halls) were gone through.
        self._sweeps: dict[str | None, int] = {}

    @workflow.run
    async def run(self) -> None:
        """Sweep until a second look finds nobody left, or after many looks."""
        await workflow.wait_condition(lambda: bool(self._published))
        while self._published or self._sweeps:
            await self._take_up()
            for hall, before in list(self._sweeps.items()):
                told = await _sweep(hall, before + 1)
                self._sweeps[hall] = before + 1
                if (before and not told) or before + 1 == SWEEPS:
                    del self._sweeps[hall]
            if self._sweeps:
                await self._settle(SETTLE * 2 ** (min(self._sweeps.values()) - 1))

    @workflow.signal
    def published(self, publication: Publication) -> None:
        """A notice was loaded (the same version may be loaded again)."""
        self._published.append(publication)

    async def _take_up(self) -> None:
        while self._published:
            publication = self._published.pop(0)
            whose = publication.hall or "全国"
            workflow.set_current_details(f"{publication.year} 年日历 · {whose} · 第 {publication.number} 版")
            if await _committed(publication):
                self._sweeps[publication.hall] = 0

    async def _settle(self, pause: timedelta) -> None:
        """Wait for what is under way; a new publication ends the wait."""
        with suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: bool(self._published), timeout=pause, timeout_summary="等待登记中的办件"
            )


async def _committed(publication: Publication) -> bool:
    """Whether the notice is on disk: the workflow is started before its transaction commits."""
    try:
        await workflow.execute_activity_method(
            CalendarActivities.committed,
            publication,
            summary="等待日历入库",
            start_to_close_timeout=timedelta(seconds=10),
            schedule_to_close_timeout=timedelta(minutes=2),
            retry_policy=RetryPolicy(
                initial_interval=timedelta(milliseconds=50), maximum_interval=timedelta(seconds=5)
            ),
        )
    except ActivityError:
        workflow.logger.warning("calendar was not committed", extra={"year": publication.year})
        return False
    return True


async def _sweep(hall: str | None, time: int) -> int:
    """Tell whoever reckons by another calendar; return how many they were."""
    return await workflow.execute_activity_method(
        CalendarActivities.sweep,
        SweepRequest(hall, workflow.now()),
        summary=f"通知办件改用新日历 · 第 {time} 遍",
        start_to_close_timeout=timedelta(hours=2),
        heartbeat_timeout=timedelta(minutes=1),
        retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30)),
    )
