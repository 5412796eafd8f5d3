"""Time: how fast Temporal gives work away, and whether everybody's clocks agree."""

import asyncio
import statistics
import time
from collections.abc import Iterable
from uuid import uuid4

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType, TaskQueueType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
    GetWorkflowExecutionHistoryReverseRequest,
    PollActivityTaskQueueRequest,
)
from temporalio.client import Client

from cli.checks import Finding, Skipped, fail, listed, ok, warn
from cli.checks.ground import Connection, Ground
from cli.checks.temporal import ANSWER_WITHIN
from cli.spans import in_words
from embedded.temporal import DYNAMIC
from workflows.options import TASK_QUEUE

FEWEST = 6
"""Tasks that have to be seen before their waiting means anything."""
WORKFLOWS, EVENTS = 10, 200
"""How far back is read: so many of the newest workflows, and so many of each one's newest events."""
SLOW, TIMES = 0.025, 10
"""A task waits long when it waits longer than so many seconds and than so many plain calls take."""
APART, FAR_APART = 2.0, 30.0
"""Seconds between two clocks that deserve a look, and that break deadlines and signatures."""
CLOCK_QUEUE = "switchboard-doctor"
"""A task queue that nobody puts work into: Temporal notes by its own clock when it was asked for work."""


async def dispatch(ground: Ground) -> Finding:
    """Temporal gives work away at once: by its command line where it is ours, else by what its histories say."""
    if ground.near_temporal:
        words = ground.part("Temporal").cmdline()
        if missing := [name for name, value in DYNAMIC.items() if f"{name}={value}" not in words]:
            return warn(f"Temporal runs without our value of {listed(missing)}.", "Stop it, and start it with `./switchboard up`.")
        return ok("Temporal has the settings that let work start at once.")
    client = await ground.temporal()
    waits = await _waits(client)
    if len(waits) < FEWEST:
        raise Skipped("Too little has run to see how fast Temporal gives work away.")
    median, call = statistics.median(waits), await _call(client)
    found = f"A task waits {median * 1000:,.0f} ms for its worker (median of {len(waits)}; a plain call takes {call * 1000:,.1f} ms)."
    if median > max(SLOW, TIMES * call):
        return warn(found, "Set history.transferProcessorMaxPollRPS to 10000 in its dynamic configuration, and see that the workers keep up.")
    return ok(found)


async def _waits(client: Client) -> list[float]:
    found: list[float] = []
    async for run in client.list_workflows(f"TaskQueue = '{TASK_QUEUE}'", limit=WORKFLOWS, page_size=WORKFLOWS):
        asked = GetWorkflowExecutionHistoryReverseRequest(
            namespace=client.namespace, execution=WorkflowExecution(workflow_id=run.id, run_id=run.run_id), maximum_page_size=EVENTS
        )
        page = await client.workflow_service.get_workflow_execution_history_reverse(asked, timeout=ANSWER_WITHIN)
        found += waits_in(page.history.events)
    return found


def waits_in(events: Iterable[HistoryEvent]) -> list[float]:
    """Seconds that each workflow task of a history, read backwards, waited for its worker, by Temporal's own clock."""
    taken: dict[int, int] = {}
    waits: list[float] = []
    for event in events:
        at = event.event_time.ToNanoseconds()
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED:
            taken[event.workflow_task_started_event_attributes.scheduled_event_id] = at
        elif event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_SCHEDULED and event.event_id in taken:
            waits.append((taken[event.event_id] - at) / 1e9)
    return waits


async def _call(client: Client) -> float:
    """Seconds that a plain call takes."""
    took = []
    for _ in range(5):
        began = time.perf_counter()
        await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=ANSWER_WITHIN)
        took.append(time.perf_counter() - began)
    return statistics.median(took)


async def clocks(ground: Ground) -> Finding:
    """This machine, Postgres and Temporal agree on the time."""
    apart: dict[str, float] = {}
    reasons = []
    for name, look in (("Postgres", _postgres), ("Temporal", _temporal)):
        try:
            apart[name] = await look(ground)
        except Skipped as skipped:
            reasons.append(str(skipped))
    if not apart:
        raise Skipped(reasons[0])
    wrong = [_said(name, by) for name, by in apart.items() if abs(by) > APART]
    if not wrong:
        return ok(f"{listed(['This machine', *apart])} agree on the time.")
    judged = fail if max(map(abs, apart.values())) > FAR_APART else warn
    return judged(f"{listed(wrong)} this machine's.", "Let all machines take the time from a time server (NTP).")


def _said(name: str, by: float) -> str:
    return f"{name}'s clock is {in_words(abs(by))} {'ahead of' if by > 0 else 'behind'}"


def beyond(theirs: float, before: float, after: float) -> float:
    """How far a time that somebody told lies outside of the moment in which they were asked; 0 when it may be right."""
    return min(0.0, theirs - before) + max(0.0, theirs - after)


async def _postgres(ground: Ground) -> float:
    app: Connection = await ground.app()
    before = time.time()
    row = await (await app.execute("select extract(epoch from clock_timestamp())::float8 as at")).fetchone()
    assert row
    return beyond(row["at"], before, time.time())


async def _temporal(ground: Ground) -> float:
    """By asking for work where there is none, and reading when Temporal thinks that we did."""
    client, ours = await ground.temporal(), f"doctor-{uuid4()}"
    queue = TaskQueue(name=CLOCK_QUEUE)
    described = DescribeTaskQueueRequest(namespace=ground.namespace, task_queue=queue, task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)
    asked = PollActivityTaskQueueRequest(namespace=ground.namespace, task_queue=queue, identity=ours)
    before = time.time()
    asking = asyncio.create_task(client.workflow_service.poll_activity_task_queue(asked, timeout=2 * ANSWER_WITHIN))
    try:
        while not asking.done() and time.time() < before + ANSWER_WITHIN.total_seconds():
            seen = await client.workflow_service.describe_task_queue(described, timeout=ANSWER_WITHIN)
            for poller in seen.pollers:
                if poller.identity == ours:
                    return beyond(poller.last_access_time.ToNanoseconds() / 1e9, before, time.time())
            await asyncio.sleep(0.01)
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    raise Skipped("Temporal does not tell its time.")
