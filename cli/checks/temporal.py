"""Temporal: whether it answers, its namespace and search attributes, and who asks it for work."""

import time
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import IndexedValueType, NamespaceState, TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    DescribeTaskQueueResponse,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from cli.checks import Finding, Skipped, are, count, fail, listed, ok, warn
from cli.checks.ground import Ground
from cli.spans import in_words
from domain.errors import TemporalUnavailable
from embedded.identity import identity
from embedded.temporal import SEARCH_ATTRIBUTES
from workflows.options import TASK_QUEUE

ANSWER_WITHIN = timedelta(seconds=5)
SEEN_WITHIN = timedelta(seconds=75)
"""A worker that waits for tasks asks for them again at least this often."""
LATE = timedelta(seconds=30)
"""How long a task may wait before that deserves a look."""
KINDS = (TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY)


async def temporal(ground: Ground) -> Finding:
    """Temporal answers."""
    try:
        client = await ground.client()
    except TemporalUnavailable:
        if ground.near_temporal:
            return fail(f"Temporal does not {'answer' if ground.runs('Temporal') else 'run'}.", f"Read the end of {ground.log('temporal')}.")
        mend = "Start it there, or correct TEMPORAL_ADDRESS with its TLS and API key."
        return fail(f"Temporal at {ground.temporal_address()} does not answer.", mend)
    began = time.perf_counter()
    said = await client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=ANSWER_WITHIN)
    took = (time.perf_counter() - began) * 1000
    return ok(f"Temporal {said.server_version} at {ground.temporal_address()} answers in {took:,.0f} ms.")


async def namespace(ground: Ground) -> Finding:
    """The namespace is there and in use."""
    client = await ground.temporal()
    try:
        asked = DescribeNamespaceRequest(namespace=ground.namespace)
        found = await client.workflow_service.describe_namespace(asked, timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status != RPCStatusCode.NOT_FOUND:
            raise
        mend = f"Run `temporal operator namespace create --namespace {ground.namespace}`, or correct TEMPORAL_NAMESPACE."
        return fail(f"Temporal has no namespace {ground.namespace}.", mend)
    if found.namespace_info.state != NamespaceState.NAMESPACE_STATE_REGISTERED:
        return fail(f"The namespace {ground.namespace} is given up.", "Name another with TEMPORAL_NAMESPACE.")
    kept = found.config.workflow_execution_retention_ttl.ToTimedelta().total_seconds()
    return ok(f"{ground.namespace} is there; it keeps ended workflows for {in_words(kept)}.")


async def search_attributes(ground: Ground) -> Finding:
    """The four attributes that an operator filters by are there, each a keyword."""
    client = await ground.temporal()
    try:
        found = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=ground.namespace), timeout=ANSWER_WITHIN)
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            raise
        raise Skipped(f"Temporal does not tell its search attributes; look there for {listed(list(SEARCH_ATTRIBUTES), 4)}.") from error
    kinds = dict(found.custom_attributes)
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    if missing := [name for name in SEARCH_ATTRIBUTES if name not in kinds]:
        others = ", and so for the others" if missing[1:] else ""
        mend = f"Run `temporal operator search-attribute create --name {missing[0]} --type Keyword`{others}."
        return fail(f"{are(missing)} missing: workflows cannot start.", mend)
    if other := [name for name in SEARCH_ATTRIBUTES if kinds[name] != keyword]:
        return fail(f"{are(other)} of another type than Keyword.", "Remove it and make it anew with the type Keyword.")
    return ok(f"{listed(list(SEARCH_ATTRIBUTES), 4)} are there.")


async def workers(ground: Ground) -> Finding:
    """Somebody asks the task queue for work, and keeps up with it."""
    client = await ground.temporal()
    queues = [await _queue(client, ground.namespace, kind) for kind in KINDS]
    asking = set.intersection(*({poller for poller in _pollers(queue) if _lives(poller, ground)} for queue in queues))
    waiting = sum(queue.stats.approximate_backlog_count for queue in queues)
    oldest = max(queue.stats.approximate_backlog_age.ToTimedelta() for queue in queues)
    waits = count(waiting, "task waits", "tasks wait")
    if not asking:
        mend = f"Read the end of {ground.log('worker')}." if ground.up else "Start `./switchboard worker`."
        return fail(f"Nobody asks the task queue {TASK_QUEUE} for work; {waits}.", mend)
    who = count(len(asking), "worker asks for work", "workers ask for work")
    if waiting and oldest > LATE:
        mend = "Start more workers, or see in Temporal's web UI what keeps these."
        return warn(f"{who}, and {waits}, the oldest for {in_words(oldest.total_seconds())}.", mend)
    return ok(f"{who}; {waits if waiting else 'no task waits'}.")


async def _queue(client: Client, namespace_: str, kind: TaskQueueType.ValueType) -> DescribeTaskQueueResponse:
    asked = DescribeTaskQueueRequest(namespace=namespace_, task_queue=TaskQueue(name=TASK_QUEUE), task_queue_type=kind, report_stats=True)
    return await client.workflow_service.describe_task_queue(asked, timeout=ANSWER_WITHIN)


def _pollers(queue: DescribeTaskQueueResponse) -> set[str]:
    since = datetime.now(UTC) - SEEN_WITHIN
    return {poller.identity for poller in queue.pollers if poller.last_access_time.ToDatetime(UTC) > since}


def _lives(poller: str, ground: Ground) -> bool:
    """Temporal remembers a worker that is gone for some time; of those that `up` started we know better."""
    pid = poller.partition("@")[0]
    return not (ground.near_temporal and pid.isdigit()) or identity(int(pid)) is not None
