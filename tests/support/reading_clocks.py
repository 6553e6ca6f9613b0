"""A workflow that reads the machine's clock: what the sandbox is there to refuse."""

import time

from temporalio import workflow


@workflow.defn(name="ReadsClock")
class ReadsClock:
    """Returns the seconds of the machine's clock, if it is let."""

    @workflow.run
    async def run(self) -> float:
        """Read it."""
        return time.time()
