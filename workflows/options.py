"""How activities are run, named once: timeouts, retries, queues and search attributes."""

from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy, SearchAttributeKey, VersioningBehavior

TASK_QUEUE = "switchboard"
CONNECTIONS_QUEUE = "switchboard-connections"
POKE_TIMEOUT = timedelta(seconds=5)
TASK_TIMEOUT = timedelta(seconds=5)
"""How soon a workflow task that a killed worker had is given to another."""
ANEW = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_attempts=3)
"""A run that failed, because this code cannot go on with it, begins anew by looking. When that helps nothing, the sweep comes back to it."""
MOVES = VersioningBehavior.AUTO_UPGRADE
"""Where workers are versioned, a run goes on under whichever version is current, so that nothing waits for workers of an old one."""

SB_TENANT = SearchAttributeKey.for_keyword("SbTenant")
SB_KIND = SearchAttributeKey.for_keyword("SbKind")
SB_STATE = SearchAttributeKey.for_keyword("SbState")
SB_CHANNEL = SearchAttributeKey.for_keyword("SbChannel")

Result = TypeVar("Result")

_STORE = RetryPolicy(initial_interval=timedelta(milliseconds=200), maximum_interval=timedelta(seconds=10))
_WORLD = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=60))


async def in_store(name: str, arg: Any, result: type[Result], *, summary: str) -> Result:
    """A short look at or change of Postgres: tried until Postgres is back."""
    found: Result = await workflow.execute_activity(
        name, arg, result_type=result, summary=summary, start_to_close_timeout=timedelta(seconds=8), retry_policy=_STORE
    )
    return found


async def in_world(name: str, arg: Any, result: type[Result], *, summary: str, within: timedelta = timedelta(hours=2)) -> Result:
    """Something that may take long: its heartbeat (10 s) tells when its worker is gone, and another takes it up."""
    found: Result = await workflow.execute_activity(
        name,
        arg,
        result_type=result,
        summary=summary,
        start_to_close_timeout=within,
        heartbeat_timeout=timedelta(seconds=10),
        retry_policy=_WORLD,
    )
    return found
