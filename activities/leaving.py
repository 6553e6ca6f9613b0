"""How a local activity that keeps failing lets its worker stop.

The engine tries a failing local activity again inside the worker, and a worker waits for its local
activities before it stops: with the database away it would wait for ever. So while a worker stops,
a failure asks for a pause that is longer than the engine spends inside one worker (`RETRIED_WITHIN`).
The pause then is a timer of the workflow, and whichever worker is next tries again.
"""

from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

RETRIED_WITHIN = timedelta(seconds=8)  # longer pauses between two tries become timers
PAUSE = timedelta(seconds=10)


class LetGo(Interceptor):
    """Makes a local activity's failure a long pause once its worker is asked to stop."""

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """Return what stands before an activity."""
        return _LetGo(next)


class _LetGo(ActivityInboundInterceptor):
    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        """Carry the activity out."""
        try:
            return await super().execute_activity(input)
        except Exception as error:
            if activity.info().is_local and activity.is_worker_shutdown():
                raise ApplicationError("the worker stops", next_retry_delay=PAUSE) from error
            raise
