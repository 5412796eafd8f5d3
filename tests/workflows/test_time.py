"""Days pass in seconds: the clocks of approvals and sessions over the time-skipping server, with activities that hold their state in memory."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.client import WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from domain.ids import new_id
from domain.progress import ApprovalRef, Armed, CallRef, Clocked, ConversationRef, Looked, Routed, SessionRef
from embedded.temporal import SEARCH_ATTRIBUTES
from workflows.approvals import ApprovalWorkflow
from workflows.routing import RoutingWorkflow
from workflows.sessions import SessionWorkflow

RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("domain", "workflows", "pydantic", "pydantic_core", "ulid", "rfc8785")
)
START = timedelta(days=3)


class Kept:
    """What Postgres would hold, and the activities over it under their own names. `now` is the environment's clock."""

    def __init__(self, env: WorkflowEnvironment) -> None:
        self._env = env
        self.approval = Clocked(state="pending", deadline_at=datetime(2000, 1, 1, tzinfo=UTC), asked=("owner",))
        self.expired_at: datetime | None = None
        self.looks: list[Looked] = []
        self.looked_at: list[datetime] = []
        self.acted: list[str] = []
        self.routes: list[Routed] = []

    @activity.defn(name="read_clock")
    async def read_clock(self, ref: ApprovalRef) -> Clocked:
        """The approval."""
        return self.approval

    @activity.defn(name="expire")
    async def expire(self, armed: Armed) -> Clocked:
        """Expires it where the deadline is still the armed one."""
        if self.approval.state == "pending" and self.approval.deadline_at == armed.deadline_at:
            self.expired_at = await self._env.get_current_time()
            self.approval = Clocked(state="expired", verdict="expired", deadline_at=armed.deadline_at)
        return self.approval

    @activity.defn(name="think")
    async def think(self, ref: SessionRef) -> Looked:
        """The next look prepared, then nothing."""
        self.looked_at.append(await self._env.get_current_time())
        return self.looks.pop(0) if self.looks else Looked(next="rest", turn=9)

    @activity.defn(name="act")
    async def act(self, ref: CallRef) -> str:
        """Acts."""
        self.acted.append(f"act {ref.call}")
        return "unknown" if ref.call == "cal_broken" else "done"

    @activity.defn(name="ask")
    async def ask(self, ref: CallRef) -> str:
        """Asks."""
        self.acted.append(f"ask {ref.purpose} {ref.call}")
        return "apr_1"

    @activity.defn(name="deliver")
    async def deliver(self, ref: ConversationRef) -> str:
        """Delivers."""
        self.acted.append(f"deliver {ref.conversation}")
        return "1 sent"

    @activity.defn(name="route")
    async def route(self, ref: ConversationRef) -> Routed:
        """The next route prepared, then held."""
        return self.routes.pop(0) if self.routes else Routed(outcome="held", why="waits to be admitted")


@pytest.fixture(scope="session")
async def env() -> AsyncIterator[WorkflowEnvironment]:
    """The time-skipping server with our search attributes."""
    server = str(Path(sys.executable).parent / "temporal-test-server")
    async with await WorkflowEnvironment.start_time_skipping(data_converter=pydantic_data_converter, test_server_existing_path=server) as made:
        wanted = dict.fromkeys(SEARCH_ATTRIBUTES, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD)
        await made.client.operator_service.add_search_attributes(AddSearchAttributesRequest(namespace="default", search_attributes=wanted))
        yield made


@pytest.fixture
async def kept(env: WorkflowEnvironment) -> AsyncIterator[Kept]:
    """What is held, with a worker over it."""
    held = Kept(env)
    done: list[Callable[..., Any]] = [held.read_clock, held.expire, held.think, held.act, held.ask, held.deliver, held.route]
    workflows = [ApprovalWorkflow, SessionWorkflow, RoutingWorkflow]
    async with Worker(env.client, task_queue="time", workflows=workflows, activities=done, workflow_runner=RUNNER):
        yield held


async def _approval(env: WorkflowEnvironment, kept: Kept, within: timedelta) -> WorkflowHandle[Any, str]:
    kept.approval = Clocked(state="pending", deadline_at=await env.get_current_time() + within, asked=("owner",))
    return await env.client.start_workflow(ApprovalWorkflow.run, ApprovalRef("ten_1", "apr_1"), id=new_id("apr"), task_queue="time")


async def _session(env: WorkflowEnvironment) -> WorkflowHandle[Any, str]:
    return await env.client.start_workflow(SessionWorkflow.run, SessionRef("ten_1", "ses_1"), id=new_id("ses"), task_queue="time")


async def _closed_at(handle: WorkflowHandle[Any, str]) -> datetime:
    closed = (await handle.describe()).close_time
    assert closed
    return closed


async def test_an_approval_of_three_days_expires_on_time(env: WorkflowEnvironment, kept: Kept) -> None:
    handle = await _approval(env, kept, START)

    assert await handle.result() == "expired"

    assert kept.expired_at
    assert kept.approval.deadline_at
    assert timedelta(0) <= kept.expired_at - kept.approval.deadline_at < timedelta(seconds=5)


async def test_an_extended_deadline_is_the_one_that_counts(env: WorkflowEnvironment, kept: Kept) -> None:
    handle = await _approval(env, kept, START)
    await env.sleep(timedelta(days=2, hours=23))
    kept.approval = Clocked(state="pending", deadline_at=await env.get_current_time() + timedelta(days=4), asked=("owner",))
    await handle.signal("changed")
    await env.sleep(timedelta(days=3))
    assert (await handle.query("state"))["state"] == "pending"

    assert await handle.result() == "expired"

    assert kept.expired_at
    assert kept.approval.deadline_at
    assert timedelta(0) <= kept.expired_at - kept.approval.deadline_at < timedelta(seconds=5)


async def test_a_shortened_deadline_that_nobody_told_of_is_found_by_the_next_poke(env: WorkflowEnvironment, kept: Kept) -> None:
    handle = await _approval(env, kept, START)
    await env.sleep(timedelta(hours=1))
    kept.approval = Clocked(state="pending", deadline_at=await env.get_current_time() - timedelta(minutes=1), asked=("owner",))
    await handle.signal("changed")

    assert await handle.result() == "expired"
    assert kept.expired_at
    assert kept.approval.deadline_at
    assert kept.expired_at - kept.approval.deadline_at < timedelta(hours=1)


@pytest.mark.parametrize("verdict", ["approved", "denied", "cancelled"])
async def test_a_verdict_after_two_days_is_the_result(env: WorkflowEnvironment, kept: Kept, verdict: Any) -> None:
    handle = await _approval(env, kept, START)
    await env.sleep(timedelta(days=2))
    kept.approval = Clocked(state="cancelled" if verdict == "cancelled" else "decided", verdict=verdict)
    await handle.signal("decided")

    assert await handle.result() == verdict
    assert kept.expired_at is None


async def test_an_approval_that_is_gone_ends_cancelled(env: WorkflowEnvironment, kept: Kept) -> None:
    kept.approval = Clocked(state="gone")
    handle = await env.client.start_workflow(ApprovalWorkflow.run, ApprovalRef("ten_1", "apr_1"), id=new_id("apr"), task_queue="time")

    assert await handle.result() == "cancelled"


async def test_a_session_does_what_each_look_says_and_then_rests_for_the_linger(env: WorkflowEnvironment, kept: Kept) -> None:
    kept.looks = [
        Looked(next="act", turn=1, step=1, id="cal_1", sha256="s"),
        Looked(next="act", turn=1, step=2, id="cal_broken", sha256="s"),
        Looked(next="ask", turn=1, step=3, id="cal_3", purpose="gate"),
        Looked(next="deliver", turn=1, id="con_1"),
        Looked(next="more", turn=1),
    ]
    handle = await _session(env)

    assert await handle.result() == "rest"

    assert kept.acted == ["act cal_1", "act cal_broken", "ask outcome cal_broken", "ask gate cal_3", "deliver con_1"]
    assert len(kept.looked_at) == 6
    assert timedelta(seconds=75) <= await _closed_at(handle) - kept.looked_at[-1] < timedelta(seconds=80)


async def test_what_is_due_within_the_linger_is_waited_for_and_what_is_later_is_not(env: WorkflowEnvironment, kept: Kept) -> None:
    now = await env.get_current_time()
    soon, late = now + timedelta(seconds=40), now + timedelta(days=2)
    kept.looks = [Looked(next="wait", turn=1, due_at=soon), Looked(next="wait", turn=2, due_at=late)]
    handle = await _session(env)

    assert await handle.result() == "rest"

    assert len(kept.looked_at) == 2
    assert timedelta(0) <= kept.looked_at[1] - soon < timedelta(seconds=5)
    assert await _closed_at(handle) < now + timedelta(minutes=5)


async def test_a_poke_while_it_lingers_has_it_look_again_and_a_stop_ends_it_at_once(env: WorkflowEnvironment, kept: Kept) -> None:
    kept.looks = [Looked(next="rest", turn=1), Looked(next="stop", turn=1, why="suspended")]
    handle = await _session(env)
    with env.auto_time_skipping_disabled():
        while not kept.looked_at:
            await asyncio.sleep(0.01)
        await handle.signal("wake")
        assert await handle.result() == "suspended"

    assert len(kept.looked_at) == 2


async def test_a_session_is_continued_as_new_after_so_many_looks_with_its_id_alone(env: WorkflowEnvironment, kept: Kept) -> None:
    kept.looks = [Looked(next="more", turn=1, looks_before_continue=2) for _ in range(7)]
    handle = await _session(env)

    assert await handle.result() == "rest"

    assert len(kept.looked_at) == 8
    last = await env.client.get_workflow_handle(handle.id).describe()
    assert last.run_id != handle.first_execution_run_id


async def test_routing_delivers_what_is_unsent_and_decides_again_until_nobody_pokes(env: WorkflowEnvironment, kept: Kept) -> None:
    kept.routes = [Routed(outcome="deliver"), Routed(outcome="again"), Routed(outcome="settled", why="to ses_1")]
    handle = await env.client.start_workflow(RoutingWorkflow.run, ConversationRef("ten_1", "con_1"), id=new_id("con"), task_queue="time")

    assert await handle.result() == "settled"
    assert kept.acted == ["deliver con_1"]
