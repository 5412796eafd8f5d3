"""Temporal's data is lost. Postgres has everything that is open, so the sweep builds it all anew, with the time that each had left."""

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from tests.crash.stage import Stage
from tests.crash.tally import check
from tests.crash.visitor import Visitor
from tests.faults.deeds import amounts, frozen, until, visiting

PENDING = """
select * from approvals
 where state = 'pending' and (id = %s or (arguments ->> 'amount')::numeric = %s) and wake_at > clock_timestamp() + interval '5 min'"""
"""An approval whose workflow has read its clock, so that the sweep means to look again in an hour only."""
TOLD = "select 1 from messages where direction = 'outbound' and state = 'sent' and text like %s"


def lose_temporal(stage: Stage) -> None:
    """Removes all that Temporal, which has ended, stored."""
    for file in stage.stack.data.glob("temporal.db*"):
        file.unlink()


async def workflow(stage: Stage, id_: str) -> Any:
    """A workflow by its id, in the Temporal there is now."""
    return (await Client.connect(stage.stack.told["temporal_address"])).get_workflow_handle(id_)


async def runs(stage: Stage, id_: str) -> bool:
    """Whether a workflow of that id runs."""
    try:
        handle = await workflow(stage, id_)
        return (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    except (RPCError, RuntimeError):
        return False


async def asked_by_program(stage: Stage, within: int) -> str:
    """An approval that a program asks for."""
    answer = await stage.stack.post("/v1/approvals", {"action": "deploy", "approvers": ["owner"], "allow_self": True, "within": within})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def conversation_of(stage: Stage, person: Visitor, state: str) -> dict[str, Any]:
    """The conversation of somebody who wrote something, once it is in a state."""
    first = (await person.all_accepted())[0]
    query = "select c.* from conversations c join messages m on m.conversation_id = c.id where m.id = %s and c.state = %s"
    return await stage.stack.until(query, first, state)


@pytest.fixture
async def closed_door(stage: Stage) -> str:
    """A web chat where the owner decides who may write."""
    made = await stage.stack.post("/v1/accounts", {"name": "door", "channel": "webchat", "admission": "ask"})
    await stage.stack.post("/v1/bindings", {"account": "door", "agent": "demo"})
    return str(made.json()["id"])


async def test_everything_open_is_rebuilt_from_postgres(stage: Stage, closed_door: str) -> None:
    """Everything is ended, Temporal's files are removed, and everything is started again."""
    stack, amount = stage.stack, next(amounts)
    async with visiting(stack, 6) as people, visiting(stack, 1, closed_door) as (stranger,):
        asking, sleeping, promised, slow, unanswered, newcomer = people
        for person in (asking, sleeping, unanswered):
            await person.write("echo hello")
        await check(stack, [asking, sleeping, unanswered])
        await stranger.write("echo let me in")
        held = await conversation_of(stage, stranger, "held")
        await asking.write(f"refund {amount} to Ana")
        program, soon = await asked_by_program(stage, 3600), await asked_by_program(stage, 40)
        opened = {row["id"]: row for row in [await stack.until(PENDING, "", amount), await stack.until(PENDING, program, 0)]}
        await promised.write("follow up in 30 seconds: tea")
        await slow.write("slow 4 there")
        await stack.until("select 1 from calls where tool = 'wait' and state = 'started'")
        await until(lambda: _rests(stage, sleeping), "the sleeper's run is over")
        async with frozen(stack.part("worker")):
            await unanswered.write("echo unanswered")
            await newcomer.write("echo new here")
            await unanswered.all_accepted()
            assert (await conversation_of(stage, newcomer, "undecided"))["wake_at"]
            deadlines = {row["id"]: row["deadline_at"] for row in stack.rows("select id, deadline_at from approvals")}
            await asyncio.to_thread(stack.kill_all)
        lose_temporal(stage)
        await asyncio.to_thread(stack.start)

        for approval, row in opened.items():
            await until(lambda id_=f"approval/{row['tenant_id']}/{approval}": runs(stage, id_), "the approval's clock runs again")
        assert {row["id"]: row["deadline_at"] for row in stack.rows("select id, deadline_at from approvals")} == deadlines
        for approval in opened:
            assert (await stack.decide(approval, "approved")).json()["verdict"] == "approved"
            handle = await workflow(stage, f"approval/{opened[approval]['tenant_id']}/{approval}")
            assert await asyncio.wait_for(handle.result(), 60) == "approved"
        assert (await stack.post(f"/v1/conversations/{held['id']}/admit", {"verdict": "admit"})).status_code == 200
        await sleeping.write("echo awake")
        await stack.until(TOLD, f"%{amount}%approved and paid%")
        await stack.until(TOLD, "You asked me to come back to this: tea%")
        await check(stack, [*people, stranger])

        assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1
        expired = await stack.until("select * from approvals where id = %s and state = 'expired'", soon)
        assert expired["deadline_at"] == deadlines[soon]
        assert expired["decided_at"] >= deadlines[soon]


async def test_a_temporal_that_is_replaced_while_the_others_work_on_is_noticed(stage: Stage) -> None:
    """Only Temporal ends, and comes back empty; no other process is started anew."""
    stack, amount = stage.stack, next(amounts)
    async with visiting(stack) as (person,):
        await person.write(f"refund {amount} to Ana")
        row = await stack.until(PENDING, "", amount)
        others = [process.pid for part in ("worker", "API") for process in stack.part(part)]
        async with frozen(stack.family()[:1]):
            await asyncio.to_thread(stack.kill, "Temporal")
            lose_temporal(stage)
        await person.write("echo meanwhile")

        await until(lambda: runs(stage, f"approval/{row['tenant_id']}/{row['id']}"), "the approval's clock runs again", patience=150)

        assert stack.rows("select deadline_at from approvals where id = %s", row["id"]) == [{"deadline_at": row["deadline_at"]}]
        assert (await stack.decide(row["id"], "approved")).status_code == 200
        await stack.until(TOLD, f"%{amount}%approved and paid%")
        await check(stack, [person])
        assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1
        assert others == [process.pid for part in ("worker", "API") for process in stack.part(part)]


async def _rests(stage: Stage, person: Visitor) -> bool:
    settled = await conversation_of(stage, person, "settled")
    handle = await workflow(stage, f"session/{settled['tenant_id']}/{settled['session_id']}")
    return (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
