"""Steady mixed work for as long as `--soak MINUTES` says: memory stays flat."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any

import httpx
import pytest

from tests.crash.stack import Stack
from tests.load.crowd import answer, asks, crowd, hears
from tests.load.memory import Sample, buffers, held, slope

PARTS = ("API", "worker", "Postgres", "Temporal")
EVERY = 2.0
"""Seconds between two looks at memory."""
MOST = 0.5
"""MB a minute that a part may grow by in the second half: less than a message of 2 KB a second would leave behind."""
UNDER_WAY = 5
"""How much of one kind of work goes on at a time."""
RESIDENTS = 5
"""People who stay all the while."""
_numbers = itertools.count(1)


@pytest.mark.timeout(0)
async def test_memory_stays_flat(stack: Stack, api: httpx.AsyncClient, soak: float, pytestconfig: pytest.Config) -> None:
    """People who stay and people who come and go, refunds decided, sessions made and removed, an ear at the events: at a steady pace."""
    done: Counter[str] = Counter()
    work = [_at(1.0, done, lambda: _passes_by(stack)), _at(2.0, done, lambda: _session(api)), _at(5.0, done, lambda: _refund(stack, api)),
            _at(3.0, done, lambda: _reads(api)), _listens(api), *(_stays(stack, done) for _ in range(RESIDENTS))]  # fmt: skip
    said = pytestconfig.get_terminal_writer()

    samples = await _sampled(stack, soak, work, said.line)

    grown = {part: slope(taken) for part, taken in samples.items()}
    said.line(", ".join(f"{part} {by:+.3f} MB/min" for part, by in grown.items()) + f" in the second half, over {dict(done)}")
    assert {part: by for part, by in grown.items() if by > MOST} == {}


async def _sampled(stack: Stack, seconds: float, work: list[Coroutine[Any, Any, None]], tell: Callable[[str], None]) -> dict[str, list[Sample]]:
    """The memory of every part while work goes on, Postgres's without its buffers; once a minute it is told. Raises what the work raises."""
    samples: dict[str, list[Sample]] = {part: [] for part in PARTS}
    tasks = [asyncio.create_task(one) for one in work]
    began, told = time.monotonic(), 0
    try:
        while (at := time.monotonic() - began) < seconds:
            now = held(stack, *PARTS)
            now["Postgres"] -= (shared := buffers(stack))
            for part, megabytes in now.items():
                samples[part].append((at, megabytes))
            if at >= told * 60:
                tell(
                    f" {told:>3} min: "
                    + ", ".join(f"{part} {megabytes:.1f}" for part, megabytes in now.items())
                    + f" MB, Postgres's buffers {shared:.1f}"
                )
                told += 1
            ended, _ = await asyncio.wait(tasks, timeout=EVERY, return_when=asyncio.FIRST_EXCEPTION)
            for task in ended:
                task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return samples


async def _at(every: float, done: Counter[str], once: Callable[[], Awaitable[str]]) -> None:
    """Begins something every so many seconds; on a machine that does not keep up, as soon as one of those under way is done."""
    room = asyncio.Semaphore(UNDER_WAY)

    async def one() -> None:
        try:
            done[await once()] += 1
        finally:
            room.release()

    async with asyncio.TaskGroup() as group:
        while True:
            await room.acquire()
            group.create_task(one())
            await asyncio.sleep(every)


async def _passes_by(stack: Stack) -> str:
    """Somebody new comes, is answered, and is not seen again."""
    n = next(_numbers)
    async with crowd(stack.chat_url, 1) as (person,):
        assert await asks(person, f"echo hello {n}") == f"hello {n}"
        assert f"{n}" in await asks(person, f"remember n={n}")
        assert f"{n}" in await asks(person, "recall n")
    return "passers-by"


async def _stays(stack: Stack, done: Counter[str]) -> None:
    """Somebody writes on and on in one conversation."""
    async with crowd(stack.chat_url, 1, also=("inbound", "approvals")) as (person,):
        for n in itertools.count():
            text = f"slow 0.5 word {n}" if n % 10 == 0 else f"echo word {n}"
            assert await asks(person, text) == f"word {n}"
            done["residents' messages"] += 1
            await asyncio.sleep(1.0)


async def _session(api: httpx.AsyncClient) -> str:
    """A program starts a session, waits for its answer and removes it."""
    made = (await api.post("/v1/sessions", json={"agent": "demo", "input": "plan one; two; three"})).raise_for_status().json()
    assert "three" in await answer(api, made["id"])
    (await api.delete(f"/v1/sessions/{made['id']}")).raise_for_status()
    return "sessions"


async def _refund(stack: Stack, api: httpx.AsyncClient) -> str:
    """Somebody asks for a refund, the owner decides, somebody is told."""
    amount = next(_numbers)
    async with crowd(stack.chat_url, 1) as (person,):
        await asks(person, f"refund {amount} to Ana")
        pending = (await api.get("/v1/approvals", params={"state": "pending"})).raise_for_status().json()["items"]
        approval = next(row["id"] for row in pending if row["arguments"]["amount"] == amount)
        verdict = "approved" if amount % 2 else "denied"
        (await api.post(f"/v1/approvals/{approval}/decide", json={"verdict": verdict})).raise_for_status()
        assert verdict in await hears(person)
    return "refunds"


async def _reads(api: httpx.AsyncClient) -> str:
    """What a console reads."""
    for path in ("/v1/sessions", "/v1/conversations", "/v1/approvals", "/v1/approvals/stats", "/metrics", "/readyz"):
        (await api.get(path)).raise_for_status()
    return "looks"


async def _listens(api: httpx.AsyncClient) -> None:
    """A console that is kept current, and comes again every now and then."""
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(20), api.stream("GET", "/v1/events", timeout=None) as events:
                assert events.status_code == 200
                async for _ in events.aiter_lines():
                    pass
