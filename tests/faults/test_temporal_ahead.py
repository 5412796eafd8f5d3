"""Temporal's clock is ahead of Postgres's, by hours and by days: its timers fire early, look again and wait on, as long as Postgres says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from domain.ids import approval_workflow, new_id
from domain.progress import ApprovalRef, Looked, SessionRef
from parts import Parts
from store import approvals
from tests.faults.deeds import until
from tests.workflows.test_time import Kept, env
from tests.workflows.test_time import kept as in_memory
from tests.world import World
from wiring import worker
from workflows.approvals import ApprovalWorkflow
from workflows.options import TASK_QUEUE
from workflows.sessions import SessionWorkflow

__all__ = ["env", "in_memory"]
HOUR = timedelta(hours=1)


@pytest.fixture
async def working_ahead(parts: Parts, env: WorkflowEnvironment) -> AsyncIterator[WorkflowEnvironment]:
    """The real activities over Postgres, worked on for a Temporal whose clock is a day ahead."""
    await env.sleep(timedelta(days=1))
    async with worker(parts, env.client):
        yield env


async def asked(world: World) -> str:
    """A program asks; the owner has an hour."""
    approval = new_id("apr")
    about = {"action": "deploy", "arguments": {}, "within": HOUR.total_seconds(), "kind": "approve", "context": "", "on_timeout": "deny"}
    async with world.parts.db.transaction(world.tenant) as tx:
        who = {"of": ["owner"], "quorum": 1, "sequence": False}
        await approvals.open_for_program(tx, approval, about | {"allow_self": True, "options": None}, who, "", world.member.id)
    return approval


async def timers(handle: WorkflowHandle[object, str]) -> list[float]:
    """How long the timers were that a workflow started, in seconds."""
    started = [event async for event in handle.fetch_history_events() if event.event_type == EventType.EVENT_TYPE_TIMER_STARTED]
    return [event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta().total_seconds() for event in started]


async def test_an_approvals_timer_that_fires_early_reads_again_and_waits_on(world: World, working_ahead: WorkflowEnvironment) -> None:
    """After its hour by Temporal's clock the approval waits, with as many timers as fired; by Postgres's clock next to nothing has passed."""
    approval = await asked(world)
    deadline = world.rows("select deadline_at from approvals where tenant_id = %s")[0]["deadline_at"]
    assert (await working_ahead.get_current_time()) > deadline
    handle = await working_ahead.client.start_workflow(
        ApprovalWorkflow.run, ApprovalRef(world.tenant, approval), id=approval_workflow(world.tenant, approval), task_queue=TASK_QUEUE
    )
    for passed in (1, 2):
        await until(lambda passed=passed: _has(handle, passed), "it waits")
        await working_ahead.sleep(HOUR)
    await until(lambda: _has(handle, 3), "it waits on")

    lengths = await timers(handle)
    assert len(lengths) == 3
    assert all(HOUR.total_seconds() - 600 < length <= HOUR.total_seconds() for length in lengths), lengths
    assert world.rows("select state, deadline_at from approvals where tenant_id = %s") == [{"state": "pending", "deadline_at": deadline}]
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    decided = await approvals.decide(
        world.parts.db, world.tenant, approval, member=world.member.id, identities=world.owner, verdict="approved", comment="", answer=None,
        sha256=None, via="test",
    )  # fmt: skip
    assert decided.status == "decided"
    await handle.signal("decided")
    assert await handle.result() == "approved"


async def test_a_session_waits_for_what_is_due_as_long_as_postgres_says(env: WorkflowEnvironment, in_memory: Kept) -> None:
    """What is due in half an hour is long past by Temporal's clock, which is a day ahead; it is not looked for again and again."""
    await env.sleep(timedelta(days=1))
    due = datetime.now(UTC) + HOUR / 2
    in_memory.looks = [Looked(next="wait", turn=1, due_at=due, due_after=(HOUR / 2).total_seconds(), linger=HOUR.total_seconds())]

    handle = await env.client.start_workflow(SessionWorkflow.run, SessionRef("ten_1", "ses_1"), id=new_id("ses"), task_queue="time")
    await until(lambda: _has(handle, 1), "it waits")

    assert await timers(handle) == [(HOUR / 2).total_seconds()]
    assert len(in_memory.looked_at) == 1
    await handle.terminate()


async def _has(handle: WorkflowHandle[object, str], count: int) -> bool:
    return len(await timers(handle)) >= count
