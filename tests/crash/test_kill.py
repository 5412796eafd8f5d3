"""Killed once everywhere: every accepted message is answered once, in order, and a refund is paid once."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from tests.crash.stack import PARTS, Stack
from tests.crash.visitor import Visitor

BURST = 12
WAITING = "select id from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s"


@contextlib.asynccontextmanager
async def visitors(stack: Stack, count: int) -> AsyncIterator[list[Visitor]]:
    """So many people at the web chat."""
    people = [Visitor(stack) for _ in range(count)]
    for person in people:
        person.start()
    yield people
    await asyncio.gather(*(person.stop() for person in people))


async def check(stack: Stack, people: list[Visitor]) -> None:
    """Waits until all is answered, then looks at everything a person could complain about."""
    await asyncio.gather(*(person.all_accepted() for person in people))
    for person in people:
        ids = [frame["message_id"] for frame in person.accepted.values()]
        await asyncio.to_thread(
            stack.until,
            "select 1 from messages m left join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by where m.id = any(%s)"
            " having count(*) = %s and count(*) filter (where m.state = 'answered' and o.state = 'sent') = count(*)",
            ids, len(ids),
        )  # fmt: skip
        asked = stack.rows("select conversation_id, seq, answered_by from messages where id = any(%s) order by seq", ids)
        assert len({row["conversation_id"] for row in asked}) == 1
        here = asked[0]["conversation_id"]
        said = stack.rows("select id, seq, resend_of from messages where conversation_id = %s and direction = 'outbound' order by seq", here)
        places = {row["id"]: row["seq"] for row in said}
        answers = [places[row["answered_by"]] for row in asked]
        assert answers == sorted(answers), "answers are out of order"
        heard = stack.rows("select answered_by from messages where conversation_id = %s and direction = 'inbound'", here)
        answering = {row["answered_by"] for row in heard}
        assert all(row["id"] in answering or row["resend_of"] for row in said), "something was said twice without a label"
        every = stack.rows("select seq from messages where conversation_id = %s order by seq", here)
        assert [row["seq"] for row in every] == list(range(1, len(every) + 1)), "a seq is missing"
        seqs = [frame["seq"] for frame in person.seen]
        assert seqs == sorted(set(seqs)), "a socket was told something twice or out of order"
    assert stack.rows("select call_id from demo_refunds group by call_id having count(*) > 1") == []


@pytest.mark.parametrize("part", PARTS)
async def test_killed_in_a_burst(stack: Stack, part: str) -> None:
    """The part dies while three people write; what was acknowledged is answered, what was not is sent again by the page."""
    async with visitors(stack, 3) as people:
        for n in range(BURST):
            await asyncio.gather(*(person.write(f"echo {n}") for person in people))
            if n == BURST // 2:
                stack.kill(part)
            await asyncio.sleep(0.05)
        await check(stack, people)


@pytest.mark.parametrize("part", PARTS)
async def test_killed_while_an_approved_refund_is_carried_out(stack: Stack, part: str) -> None:
    """The part dies the moment a person approves, with a slow tool at work in another conversation."""
    async with visitors(stack, 2) as (asking, slow):
        amount = 100 + PARTS.index(part)
        await asking.write(f"refund {amount} to Ana")
        await slow.write("slow 2 there")
        approval = await asyncio.to_thread(stack.until, WAITING, amount)
        deciding = asyncio.create_task(asyncio.to_thread(stack.decide, approval["id"], "approved"))
        stack.kill(part)
        answer = await deciding
        assert answer.json()["verdict"] == "approved"
        await asking.write("echo meanwhile")
        await check(stack, [asking, slow])
        told = await asyncio.to_thread(
            stack.until, "select text from messages where direction = 'outbound' and text like %s and text like '%%approved%%'", f"%{amount}%"
        )
        assert "paid" in told["text"]
        assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1


async def test_everything_killed_with_an_approval_waiting(stack: Stack) -> None:
    """A power cut: started again over the same data, the approval still waits, is decided, carried out once and told."""
    async with visitors(stack, 1) as (person,):
        await person.write("refund 77 to Ana")
        approval = await asyncio.to_thread(stack.until, WAITING, 77)
        await person.write("slow 1 later")
        await person.all_accepted()
        stack.kill_all()
        await asyncio.to_thread(stack.start)
        assert stack.decide(approval["id"], "approved").status_code == 200
        await person.write("echo back")
        await check(stack, [person])
        await asyncio.to_thread(stack.until, "select 1 from demo_refunds where amount = 77")
        told = await asyncio.to_thread(stack.until, "select text from messages where direction = 'outbound' and text like '%%77%%approved%%'")
        assert "approved" in told["text"]
