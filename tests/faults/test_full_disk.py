"""The disk is full: nothing is accepted that cannot be kept, what was accepted is kept, and with room again everything goes on by itself."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import websockets

from tests.crash.conftest import ended
from tests.crash.stack import Stack
from tests.crash.stage import Stage, make_stage
from tests.crash.tally import check
from tests.faults.deeds import amounts, call, until, visiting
from tests.faults.disks import SmallDisk, Unwritable, kinds
from tests.journeys.receiver import receiving


@asynccontextmanager
async def staged(stack: Unwritable | SmallDisk) -> AsyncIterator[Stage]:
    """The stack with everything in place."""
    stack.start()
    async with receiving() as receiver:
        yield await make_stage(stack, receiver)


@pytest.mark.parametrize("kind", list(kinds()))
async def test_a_full_disk_refuses_loses_nothing_and_is_over_when_there_is_room(kind: type[Unwritable | SmallDisk]) -> None:
    """People write before, while and after it is full; a tool is at work and a refund waits when it becomes so."""
    with ended(kind) as stack:
        async with staged(stack) as stage, visiting(stack, 4) as people, opened(stack) as socket:
            asking, slow, *writing = people
            amount, supervisor = next(amounts), stack.family()[0].pid
            await asking.write(f"refund {amount} to Ana")
            approval = await stack.until("select id from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s", amount)
            await slow.write("slow 3 there")
            await stack.until("select 1 from calls where tool = 'wait' and state = 'started'")

            stack.fill()
            try:
                assert await refused(socket) == "postgres_unavailable"
                await until(lambda: webhook_is_refused(stack, stage.recognising), "a webhook is answered with 503")
                deciding = asyncio.create_task(stack.decide(approval["id"], "approved"))
                for n in range(5):
                    await asyncio.gather(*(person.write(f"echo {n}") for person in writing))
                await until(lambda: not_ready(stack, "postgres"), "readyz names Postgres")
            finally:
                stack.make_room()

            await until(lambda: is_ready_again(stack), "everything is ready again")
            assert (await deciding).json()["verdict"] == "approved"
            await stack.until("select 1 from messages where direction = 'outbound' and text like %s", f"%{amount}%approved and paid%")
            await asyncio.gather(*(person.write("echo after") for person in people))
            await check(stack, people)
            assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1
            assert stack.family()[0].pid == supervisor
            assert stack.rows("select 1 from messages where state in ('parked', 'unknown', 'failed')") == []


@asynccontextmanager
async def opened(stack: Stack) -> AsyncIterator[Any]:
    """A web chat's socket, after the greeting."""
    async with websockets.connect(stack.chat_url) as socket:
        await socket.send(json.dumps({"type": "hello"}))
        assert json.loads(await socket.recv())["type"] == "hello"
        yield socket


async def refused(socket: Any) -> str:
    """Writes long messages, which do not fit into what room there is left, until one is refused. Returns the error's code; the socket stays open."""
    for n in range(500):
        await socket.send(json.dumps({"id": f"m{n}", "text": secrets.token_hex(7000)}))
        while (frame := json.loads(await asyncio.wait_for(socket.recv(), 60)))["type"] not in ("ack", "error"):
            pass
        if frame["type"] == "error":
            assert frame["id"] == f"m{n}"
            return str(frame["code"])
    raise AssertionError("everything was accepted")


async def webhook_is_refused(stack: Stack, account: str) -> bool:
    """Whether a signed call that brings a long message is answered with 503, so that it comes again."""
    answer = await call(stack, "wire", account, secrets.token_hex(7000))
    assert answer.status_code in (200, 202, 503), answer.text
    return answer.status_code == 503


async def not_ready(stack: Stack, name: str) -> bool:
    """Whether readyz answers 503 and names a part."""
    async with httpx.AsyncClient(base_url=stack.told["api"], timeout=30) as client:
        answer = await client.get("/readyz")
    return answer.status_code == 503 and name in answer.json()["away"]


async def is_ready_again(stack: Unwritable | SmallDisk) -> bool:
    """Whether readyz is content; room is made again for whoever was started in between."""
    stack.make_room()
    try:
        async with httpx.AsyncClient(base_url=stack.told["api"], timeout=30) as client:
            return (await client.get("/readyz")).status_code == 200
    except httpx.TransportError:
        return False
