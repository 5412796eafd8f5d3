"""Killed once everywhere: every accepted message is answered once, in order, and a refund is paid once."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator

import pytest

from tests.crash.stack import PARTS, Stack
from tests.crash.tally import check
from tests.crash.visitor import Visitor

BURST = 12
_amounts = itertools.count(100)
WAITING = "select id from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s"


@contextlib.asynccontextmanager
async def visitors(stack: Stack, count: int) -> AsyncIterator[list[Visitor]]:
    """So many people at the web chat."""
    people = [Visitor(stack) for _ in range(count)]
    for person in people:
        person.start()
    yield people
    await asyncio.gather(*(person.stop() for person in people))


@pytest.mark.parametrize("part", PARTS)
async def test_killed_in_a_burst(stack: Stack, part: str) -> None:
    """The part dies while three people write; what was acknowledged is answered, what was not is sent again by the page."""
    async with visitors(stack, 3) as people:
        for n in range(BURST):
            await asyncio.gather(*(person.write(f"echo {n}") for person in people))
            if n == BURST // 2:
                await asyncio.to_thread(stack.kill, part)
            await asyncio.sleep(0.05)
        await check(stack, people)


@pytest.mark.parametrize("part", PARTS)
async def test_killed_while_an_approved_refund_is_carried_out(stack: Stack, part: str) -> None:
    """The part dies the moment a person approves, with a slow tool at work in another conversation."""
    async with visitors(stack, 2) as (asking, slow):
        amount = next(_amounts)
        await asking.write(f"refund {amount} to Ana")
        await slow.write("slow 2 there")
        approval = await stack.until(WAITING, amount)
        deciding = asyncio.create_task(stack.decide(approval["id"], "approved"))
        await asyncio.to_thread(stack.kill, part)
        answer = await deciding
        assert answer.json()["verdict"] == "approved"
        await asking.write("echo meanwhile")
        await check(stack, [asking, slow])
        told = await stack.until(
            "select text from messages where direction = 'outbound' and text like %s and text like '%%approved%%'", f"%{amount}%"
        )
        assert "paid" in told["text"]
        assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1


async def test_everything_killed_with_an_approval_waiting(stack: Stack) -> None:
    """A power cut: started again over the same data, the approval still waits, is decided, carried out once and told."""
    async with visitors(stack, 1) as (person,):
        amount = next(_amounts)
        await person.write(f"refund {amount} to Ana")
        approval = await stack.until(WAITING, amount)
        await person.write("slow 1 later")
        await person.all_accepted()
        await asyncio.to_thread(stack.kill_all)
        await asyncio.to_thread(stack.start)
        assert (await stack.decide(approval["id"], "approved")).status_code == 200
        await person.write("echo back")
        await check(stack, [person])
        await stack.until("select 1 from demo_refunds where amount = %s", amount)
        await stack.until("select 1 from messages where direction = 'outbound' and text like %s", f"%{amount}%approved%")
