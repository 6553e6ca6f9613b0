"""What stands around every activity: one log line, with the ids that lead to it, and its meters."""

import time
from typing import Any

import structlog
from temporalio import activity
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from activities.meters import Meters
from models.messages import Recorded, RecordRequest
from models.tracing import traced

_log = structlog.get_logger("activity")


class Observed(Interceptor):
    """Logs and measures every try of an activity."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Return what stands before an activity."""
        return _Observed(next, self._meters)


class _Observed(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, meters: Meters) -> None:
        super().__init__(next)
        self._meters = meters

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Carry the activity out; whatever it logs bears the same ids."""
        info = activity.info()
        request = input.args[0] if input.args else None
        ids = traced(getattr(request, "case_id", None), getattr(request, "command_id", None))
        with structlog.contextvars.bound_contextvars(**ids):
            started = time.perf_counter()
            try:
                result = await super().execute_activity(input)
            except BaseException as error:
                self._note(info, "failed", started)
                # Its words may name people or hold values of a row; the kind of error is enough to go by.
                _log.warning("activity failed", **_facts(info, started), error=type(error).__name__)
                raise
            self._note(info, "ok", started)
            if isinstance(request, RecordRequest) and isinstance(result, Recorded):
                self._meters.note_recorded(request, result)
            _log.info("activity", **_facts(info, started))
            return result

    def _note(self, info: activity.Info, outcome: str, started: float) -> None:
        self._meters.note_activity(info.activity_type, outcome, time.perf_counter() - started)


def _facts(info: activity.Info, started: float) -> dict[str, Any]:
    return {
        "activity": info.activity_type,
        "workflow_id": info.workflow_id,
        "attempt": info.attempt,
        "ms": round((time.perf_counter() - started) * 1000, 1),
    }
