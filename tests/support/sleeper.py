"""The smallest workflow with a timer, for tests of the services themselves."""

import asyncio

from temporalio import workflow


@workflow.defn
class Sleeper:
    """Sleeps for some seconds of its own clock and says how long that was."""

    @workflow.run
    async def run(self, seconds: int) -> float:
        begin = workflow.now()
        await asyncio.sleep(seconds)
        return (workflow.now() - begin).total_seconds()
