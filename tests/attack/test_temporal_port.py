"""Somebody reaches Temporal's port, where nobody has to sign in: whatever is signalled, started, ended or called there, nothing is approved."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from psycopg.types.json import Jsonb
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowFailureError, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.approvals import arguments_sha256
from domain.ids import new_id
from settings import Settings
from tests.attack.robber import Robber
from tests.journeys import deeds
from tests.world import World
from workflows.options import TASK_QUEUE

STOLEN = {"amount": 9999, "to": "Mallory"}


class Port:
    """What is done at the port to one approval."""

    def __init__(self, live: World, client: Client, approval: dict[str, Any]) -> None:
        self.client = client
        self.tenant, self.approval, self.row = live.tenant, str(approval["id"]), approval
        self.clock = f"approval/{self.tenant}/{self.approval}"
        self.session = f"session/{self.tenant}/{approval['session_id']}"

    async def signal(self) -> None:
        """Says that it was decided, again and again, with and without words of its own."""
        for _ in range(20):
            for name, args in (("decided", []), ("changed", []), ("decided", ["approved"]), ("approve", [{"verdict": "approved"}])):
                await self.client.get_workflow_handle(self.clock).signal(name, args=args)

    async def wake(self) -> None:
        """Wakes the session with a verdict in hand."""
        for args in ([], ["approved"], [{"next": "act", "id": self.row["call_id"]}]):
            await self.client.get_workflow_handle(self.session).signal("wake", args=args)

    async def terminate(self) -> None:
        """Ends the clock."""
        await self.client.get_workflow_handle(self.clock).terminate("approved")

    async def cancel(self) -> None:
        """Asks the clock to end."""
        await self.client.get_workflow_handle(self.clock).cancel()

    async def reset(self) -> None:
        """Has the clock begin again from its first task."""
        described = await self.client.get_workflow_handle(self.clock).describe()
        execution = WorkflowExecution(workflow_id=self.clock, run_id=described.run_id)
        request = ResetWorkflowExecutionRequest(
            namespace=self.client.namespace, workflow_execution=execution, reason="x", workflow_task_finish_event_id=3, request_id=new_id("key")
        )
        await self.client.workflow_service.reset_workflow_execution(request)

    async def start_another(self) -> None:
        """Starts clocks of the same approval under ids of its own, and of approvals that are none."""
        for n, named in enumerate((self.approval, "apr_none", "", "'; update approvals set state = 'decided'")):
            given = {"tenant": self.tenant, "approval": named}
            await self.client.start_workflow("ApprovalWorkflow", given, id=f"mine/{self.approval}/{n}", task_queue=TASK_QUEUE)

    async def take_its_place(self) -> None:
        """Ends the clock and starts one under its id that goes by something else."""
        with suppress(RPCError):  # it was over already
            await self.terminate()
        elsewhere = {"tenant": "ten_none", "approval": self.approval}
        with suppress(WorkflowAlreadyStartedError):
            await self.client.start_workflow("ApprovalWorkflow", elsewhere, id=self.clock, task_queue=TASK_QUEUE)

    async def ask_and_update(self) -> None:
        """Asks queries and sends updates that are none."""
        handle = self.client.get_workflow_handle(self.clock)
        assert (await handle.query("state"))["state"] == "pending"
        with pytest.raises(WorkflowQueryFailedError):
            await handle.query("approve", "approved")
        with pytest.raises(WorkflowUpdateFailedError):
            await handle.execute_update("approve", "approved")

    async def call(self, activity: str, given: Any) -> Any:
        """Has a worker of ours run an activity; what came of it, or that it failed."""
        queue = f"robbers/{self.approval}"
        async with Worker(self.client, task_queue=queue, workflows=[Robber], workflow_runner=UnsandboxedWorkflowRunner()):
            try:
                return await self.client.execute_workflow(
                    Robber.run, args=[activity, given], id=f"{queue}/{new_id('key')}", task_queue=queue,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                )  # fmt: skip
            except WorkflowFailureError as error:
                return type(error.cause).__name__

    async def act(self) -> None:
        """Has the call carried out, with each hash there is."""
        for sha in (self.row["arguments_sha256"], arguments_sha256(STOLEN), ""):
            said = await self.call("act", {"tenant": self.tenant, "call": self.row["call_id"], "sha256": sha, "purpose": "gate"})
            assert said not in ("done", "started")

    async def expire(self) -> None:
        """Has it expire before its time, by deadlines that were made up and by the true one."""
        for deadline in (self.row["deadline_at"], datetime.now(UTC) - timedelta(days=1), datetime.now(UTC)):
            armed = {"tenant": self.tenant, "approval": self.approval, "deadline_at": deadline.isoformat()}
            assert (await self.call("expire", armed))["state"] == "pending"

    async def ask_anew(self) -> None:
        """Has the question asked again, as one about its outcome, which a call that has not begun has none of."""
        for purpose in ("gate", "outcome"):
            await self.call("ask", {"tenant": self.tenant, "call": self.row["call_id"], "sha256": "", "purpose": purpose})


ATTACKS: tuple[Callable[[Port], Awaitable[None]], ...] = (
    Port.signal, Port.wake, Port.terminate, Port.cancel, Port.reset, Port.start_another, Port.take_its_place, Port.ask_and_update,
    Port.act, Port.expire, Port.ask_anew,
)  # fmt: skip


@pytest.fixture
async def port(live: World, settings: Settings) -> Port:
    """A refund that waits, its clock running, and somebody at the port."""
    await live.say("refund 40 to Ada")
    client = await Client.connect(settings.temporal_address, data_converter=pydantic_data_converter)
    made = Port(live, client, await live.pending_approval())
    await live.until("select 1 from approvals where tenant_id = %s and id = %s and wake_at > now() + interval '1 minute'", made.approval)
    return made


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
async def test_nothing_is_approved_at_temporals_port(live: World, port: Port, attack: Callable[[Port], Awaitable[None]]) -> None:
    """It waits as before; the refund is paid only by the owner's word, which counts as if nothing had been."""
    await attack(port)
    assert await live.say("echo on") == "on"

    waiting = live.rows("select id, state from approvals where tenant_id = %s")
    assert [(row["id"], row["state"]) for row in waiting] == [(port.approval, "pending")]
    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == live.rows("select 1 from votes where tenant_id = %s") == []

    assert (await deeds.decide(live, port.approval, "approved")).status_code == 200
    assert "approved" in await deeds.verdict_told(live, port.approval)
    assert [float(row["amount"]) for row in live.rows("select amount from demo_refunds where tenant_id = %s")] == [40.0]


async def test_what_was_denied_cannot_be_carried_out_at_the_port(live: World, port: Port) -> None:
    await deeds.decide(live, port.approval, "denied")
    await deeds.verdict_told(live, port.approval)

    await port.act()
    await port.take_its_place()
    assert await live.say("echo on") == "on"

    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == []


async def test_what_was_done_is_not_done_again_at_the_port(live: World, port: Port) -> None:
    await deeds.decide(live, port.approval, "approved")
    await deeds.verdict_told(live, port.approval)

    for sha in (port.row["arguments_sha256"], ""):
        await port.call("act", {"tenant": live.tenant, "call": port.row["call_id"], "sha256": sha, "purpose": "gate"})

    assert len(live.rows("select 1 from demo_refunds where tenant_id = %s")) == 1


async def test_a_hash_that_fits_the_changed_arguments_does_not_help_at_the_port(live: World, port: Port) -> None:
    """Approved for 40, changed to 9999 in Postgres with its hash, called with the hash that fits: the approval's own hash is another."""
    session = str(port.row["session_id"])
    await deeds.suspend(live, session)
    await deeds.decide(live, port.approval, "approved")
    live.sql.execute("update calls set arguments = %s where tenant_id = %s and id = %s", (Jsonb(STOLEN), live.tenant, port.row["call_id"]))

    await port.call("act", {"tenant": live.tenant, "call": port.row["call_id"], "sha256": arguments_sha256(STOLEN), "purpose": "gate"})
    await deeds.resume(live, session)
    await deeds.verdict_told(live, port.approval)

    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == []


async def test_temporal_tells_whoever_asks_no_content(live: World, port: Port) -> None:
    """Nothing of the action, its arguments or the chat is in the histories that the port shows."""
    told = []
    for id_ in (port.clock, port.session):
        history = await live.parts.temporal.get_workflow_handle(id_).fetch_history()
        told.append(history.to_json())

    assert not [word for word in ("Ada", "refund", "40.0", "needs a human") for said in told if word in said]
