"""The bare loop: a workflow that does nothing else than a signal and its activities."""

from datetime import timedelta

from temporalio import workflow


@workflow.defn
class Loop:
    """Each signal is followed by `activities` activities, the last of them `finish`."""

    @workflow.init
    def __init__(self, activities: int) -> None:
        self._asked = self._done = 0

    @workflow.signal
    def go(self) -> None:
        """One more round."""
        self._asked += 1

    @workflow.run
    async def run(self, activities: int) -> None:
        """Rounds for ever."""
        while True:
            await workflow.wait_condition(lambda: self._asked > self._done)
            for n in range(activities - 1):
                await workflow.execute_activity("nothing", n, start_to_close_timeout=timedelta(seconds=30))
            await workflow.execute_activity("finish", workflow.info().workflow_id, start_to_close_timeout=timedelta(seconds=30))
            self._done += 1
