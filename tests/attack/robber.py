"""A workflow of somebody who reached Temporal's port: it has our workers run their activities, with what it makes up."""

from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

from workflows.options import TASK_QUEUE

ONCE = RetryPolicy(maximum_attempts=1)


@workflow.defn(name="Robber")
class Robber:
    """Runs one of our activities."""

    @workflow.run
    async def run(self, activity: str, given: Any) -> Any:
        """What came of it."""
        return await workflow.execute_activity(
            activity, given, task_queue=TASK_QUEUE, start_to_close_timeout=timedelta(seconds=20), schedule_to_close_timeout=timedelta(seconds=40),
            retry_policy=ONCE,
        )  # fmt: skip
