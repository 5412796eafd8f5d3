"""What comes goes again: sockets, memory, rows and workflows."""

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest
import websockets
from temporalio.client import Client, WorkflowExecutionStatus

from domain.ids import approval_workflow, session_workflow
from tests.crash.stack import Stack
from tests.load.crowd import ALL_WITHIN, SOCKETS, WITHIN, answer, asks, by_fifties, crowd, hears, sockets
from tests.load.memory import held

pytestmark = pytest.mark.timeout(ALL_WITHIN)
CYCLES, WARM, AT_ONCE = 100, 10, 4
CYCLES_MOST = 50.0
"""MB that the API, the worker and Postgres may grow by over all cycles."""
CROWD_MOST = 15.0
"""MB that the API may hold more after a second crowd than after a first: a socket that was kept costs a tenth of one."""


async def until(true: Callable[[], bool]) -> None:
    """Waits for something that comes by itself."""
    async with asyncio.timeout(WITHIN):
        while not await asyncio.to_thread(true):
            await asyncio.sleep(0.2)


async def test_five_hundred_sockets_come_are_answered_and_go(stack: Stack) -> None:
    """Each gets its own answer, and is told it again when it comes back; when all have left, their places and their memory are free."""
    async with crowd(stack.chat_url, SOCKETS) as people:
        heard = await by_fifties(asks(person, f"echo word {n}") for n, person in enumerate(people))
        assert heard == [f"word {n}" for n in range(SOCKETS)]
        await _is_full(stack)
    await until(lambda: sockets(stack) == 0)
    after_first = held(stack, "API")["API"]

    async with crowd(stack.chat_url, SOCKETS, tokens=[person.token for person in people]) as again:
        assert await by_fifties(hears(person) for person in again) == heard
        await _is_full(stack)
    await until(lambda: sockets(stack) == 0)
    await until(lambda: held(stack, "API")["API"] < after_first + CROWD_MOST)


async def _is_full(stack: Stack) -> None:
    """All are counted, and one more is turned away."""
    assert sockets(stack) == SOCKETS
    async with websockets.connect(stack.chat_url, open_timeout=WITHIN) as one_more:
        assert json.loads(await one_more.recv()) == {"type": "error", "code": "connection_limit"}
        await one_more.wait_closed()
        assert one_more.close_code == 4429


async def test_a_hundred_sessions_made_and_removed_leave_nothing(stack: Stack, api: httpx.AsyncClient) -> None:
    """No row that held something, no workflow that runs, and no memory to speak of."""
    parts = ("API", "worker", "Postgres")
    await _cycles(api, WARM)
    before = sum(held(stack, *parts).values())

    made = await _cycles(api, CYCLES)

    sessions, approvals = [session for session, _ in made], [approval for _, approval in made if approval]
    assert (len(set(sessions)), len(approvals)) == (CYCLES, CYCLES // 2)
    await _workflows_end(stack, sessions, approvals)
    for table in ("calls", "steps", "approvals", "requests"):
        assert stack.rows(f"select 1 from {table} where session_id = any(%s)", sessions) == [], table
    assert stack.rows("select 1 from messages where session_id = any(%s) and (text <> '' or payload <> '{}' or state = 'pending')", sessions) == []
    assert stack.rows("select 1 from sessions where id = any(%s) and (life <> 'closed' or context <> '{}' or plan <> '[]')", sessions) == []
    grown = sum(held(stack, *parts).values()) - before
    assert grown < CYCLES_MOST


async def _cycles(api: httpx.AsyncClient, count: int) -> list[tuple[str, str | None]]:
    """So many sessions, a few at a time; with the approval that every other one still waited for when it was removed."""
    door = asyncio.Semaphore(AT_ONCE)

    async def cycle(n: int) -> tuple[str, str | None]:
        async with door:
            text = "refund 5 to Ana" if n % 2 else "plan one; two; three"
            session = (await api.post("/v1/sessions", json={"agent": "demo", "input": text})).raise_for_status().json()["id"]
            await answer(api, session)
            asked = (await api.get("/v1/approvals", params={"session_id": session})).raise_for_status().json()["items"]
            (await api.delete(f"/v1/sessions/{session}")).raise_for_status()
            return session, asked[0]["id"] if asked else None

    return await asyncio.gather(*(cycle(n) for n in range(count)))


async def _workflows_end(stack: Stack, sessions: list[str], approvals: list[str]) -> None:
    """Waits until none of their workflows runs."""
    temporal = await Client.connect(stack.told["temporal_address"])
    tenant = str(stack.rows("select tenant_id from tenants where name = 'demo'")[0]["tenant_id"])
    ids = [session_workflow(tenant, session) for session in sessions] + [approval_workflow(tenant, approval) for approval in approvals]
    async with asyncio.timeout(WITHIN):
        for id_ in ids:
            while (await temporal.get_workflow_handle(id_).describe()).status is WorkflowExecutionStatus.RUNNING:
                await asyncio.sleep(0.1)
