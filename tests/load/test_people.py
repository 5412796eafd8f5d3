"""Many people at once: each is answered in order and once, is told nothing of anybody else's, and is paid once."""

import asyncio
import json
import re
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import datetime
from threading import Barrier
from typing import Any

import httpx
import pytest

from bench.people import Person
from store.pool import Database
from tests.crash.stack import Stack
from tests.journeys.deeds import Colleague, member_of
from tests.load.crowd import ALL_WITHIN, WITHIN, asks, by_fifties, crowd, hears

pytestmark = pytest.mark.timeout(ALL_WITHIN)
MARK = re.compile(r"mark-\d+-[0-9a-f]{12}")
CONNECTIONS = 20
"""The most that an API and a worker may have to Postgres: a pool of eight each, and what they tell and hear of changes by."""
ASKED, DECIDING = 20, 10
Answers = list[list[tuple[int, dict[str, Any]]]]


@pytest.mark.parametrize("count", [10, 50])
async def test_sessions_side_by_side(stack: Stack, count: int) -> None:
    """Everybody writes in bursts at the same time; whatever their number, Postgres is asked over as many connections."""
    before = {row["id"] for row in stack.rows("select id from sessions")}
    async with _most_connections(stack) as most, crowd(stack.chat_url, count) as people:
        heard = await asyncio.gather(*(_converses(person, f"person {n}") for n, person in enumerate(people)))

    assert heard == [[f"person {n} {word}" for word in "abcdef"] for n in range(count)]
    assert 0 < most[0] <= CONNECTIONS
    ours = list({row["id"] for row in stack.rows("select id from sessions")} - before)
    assert len(ours) == count
    stored = stack.rows("select direction, state, count(*) from messages where session_id = any(%s) group by 1, 2", ours)
    assert {(row["direction"], row["state"]): row["count"] for row in stored} == {("inbound", "answered"): 7 * count, ("outbound", "sent"): 7 * count}


async def _converses(person: Person, name: str) -> list[str]:
    """What somebody is answered: to two bursts, one of them with a slow tool in it, and from memory after that."""
    for text in (f"echo {name} a", f"slow 0.3 {name} b", f"echo {name} c"):
        await person.write(text)
    heard = [await hears(person) for _ in range(3)]
    for text in (f"remember name={name} f", f"echo {name} d", f"echo {name} e"):
        await person.write(text)
    noted, *more = [await hears(person) for _ in range(3)]
    assert f"{name} f" in noted
    recalled = await asks(person, "recall name")
    return [*heard, *more, recalled.removeprefix("name = ").rstrip(".")]


@asynccontextmanager
async def _most_connections(stack: Stack) -> AsyncIterator[list[int]]:
    """The most connections to Postgres that were seen meanwhile, in a list of one."""
    most = [0]

    async def look() -> None:
        while True:
            now = await asyncio.to_thread(stack.rows, "select count(*) from pg_stat_activity where usename = 'switchboard_app'")
            most[0] = max(most[0], now[0]["count"])
            await asyncio.sleep(0.2)

    looking = asyncio.create_task(look())
    try:
        yield most
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


async def test_nobody_is_told_what_is_anothers(stack: Stack, api: httpx.AsyncClient) -> None:
    """Fifty people with a mark each, at an agent that streams all it is shown and at one with memory, calls and approvals."""
    marks = [f"mark-{n}-{secrets.token_hex(6)}" for n in range(50)]
    frames: dict[tuple[str, int], list[str]] = defaultdict(list)
    also, streaming = ("inbound", "approvals"), await _streaming_chat(stack, api)
    async with (
        crowd(streaming, 50, also=also, hears=lambda n, raw: frames["streamed", n].append(raw)) as listeners,
        crowd(stack.chat_url, 50, also=also, hears=lambda n, raw: frames["asked", n].append(raw)) as askers,
    ):
        told = [_is_streamed_to(person, mark) for person, mark in zip(listeners, marks, strict=True)]
        asked = [_remembers_and_asks(person, mark) for person, mark in zip(askers, marks, strict=True)]
        await asyncio.gather(*told, *asked)
    again = await by_fifties(_read_again(streaming, person.token) for person in listeners)

    for n, mark in enumerate(marks):
        streamed, asking = frames["streamed", n], frames["asked", n]
        assert [set(MARK.findall(" ".join(sent))) for sent in (streamed, asking, again[n])] == [{mark}] * 3
        kinds = [json.loads(frame)["type"] for frame in streamed if mark in frame], [json.loads(frame)["type"] for frame in asking if mark in frame]
        assert {"message", "delta"} <= set(kinds[0])
        assert {"message", "approval"} <= set(kinds[1])
    await _is_apart_over_http(stack, api, set(marks))


async def _streaming_chat(stack: Stack, api: httpx.AsyncClient) -> str:
    """The socket of a web chat with an agent that streams."""
    (await api.post("/v1/agents", json={"name": "streamer", "backend": "streamer"})).raise_for_status()
    made = await api.post("/v1/accounts", json={"channel": "webchat", "name": "streams", "admission": "open"})
    (await api.post("/v1/bindings", json={"account": "streams", "agent": "streamer"})).raise_for_status()
    return stack.chat_url.rsplit("/", 1)[0] + "/" + str(made.raise_for_status().json()["id"])


async def _is_streamed_to(person: Person, mark: str) -> None:
    assert await asks(person, f"{mark} is mine") == f"{mark} is mine"
    assert await asks(person, "what was it?") == f"{mark} is mine {mark} is mine what was it?"


async def _remembers_and_asks(person: Person, mark: str) -> None:
    for text in (f"remember mine={mark}", "recall mine", f"plan see {mark}", f"refund 7 to {mark}"):
        assert mark in await asks(person, text)


async def _read_again(url: str, token: str | None) -> list[str]:
    """What somebody is told who comes back as the same visitor and has nothing any more."""
    came: list[str] = []
    async with Person(url, token, also=("inbound", "approvals"), hears=came.append):
        while sum('"type":"message"' in frame.replace(" ", "") for frame in came) < 4:
            await asyncio.sleep(0.02)
    return came


async def _is_apart_over_http(stack: Stack, api: httpx.AsyncClient, marks: set[str]) -> None:
    """Each session, conversation and approval holds one mark, and each mark is held by two sessions: one a chat."""
    sessions = [row["id"] for row in stack.rows("select distinct session_id as id from messages where text like '%%mark-%%'")]
    conversations = [row["id"] for row in stack.rows("select distinct conversation_id as id from messages where text like '%%mark-%%'")]
    approvals = [row["id"] for row in stack.rows("select id from approvals where arguments::text like '%%mark-%%'")]
    assert (len(sessions), len(conversations), len(approvals)) == (100, 100, 50)
    paths = [
        *([f"/v1/sessions/{id_}", f"/v1/sessions/{id_}/history"] for id_ in sessions),
        *([f"/v1/conversations/{id_}", f"/v1/conversations/{id_}/messages"] for id_ in conversations),
        *([f"/v1/approvals/{id_}"] for id_ in approvals),
    ]
    door, found = asyncio.Semaphore(8), []

    async def read(some: list[str]) -> None:
        async with door:
            texts = [(await api.get(path)).raise_for_status().text for path in some]
        found.append(set(MARK.findall(" ".join(texts))))

    await asyncio.gather(*(read(some) for some in paths))
    assert [len(held) for held in found] == [1] * len(paths)
    assert set.union(*found) == marks


async def test_twenty_approvals_decided_by_ten_at_once(stack: Stack) -> None:
    """Ten owners, a thread each, click on all of them together: one word counts each time, and nine are told whose it was and when."""
    owners = await _owners(stack)
    async with crowd(stack.chat_url, ASKED) as people:
        await asyncio.gather(*(asks(person, f"refund {1000 + n} to Ana") for n, person in enumerate(people)))
        amount = "(arguments ->> 'amount')::numeric"
        waiting = stack.rows(f"select id from approvals where state = 'pending' and {amount} >= 1000 order by {amount}")
        approvals = [row["id"] for row in waiting]
        assert len(approvals) == ASKED
        answers = await asyncio.to_thread(_decided, stack.told["api"], owners, approvals)
        outcomes = await asyncio.gather(*(hears(person) for person in people))

    verdicts = [_verdict(approval, [thread[n] for thread in answers], owners) for n, approval in enumerate(approvals)]
    assert [f"{1000 + n}" in told.replace(",", "") and verdict in told for n, (verdict, told) in enumerate(zip(verdicts, outcomes, strict=True))] == [
        True
    ] * ASKED
    paid = [int(row["amount"]) for row in stack.rows("select amount from demo_refunds where amount >= 1000 order by amount")]
    assert paid == [1000 + n for n, verdict in enumerate(verdicts) if verdict == "approved"]


async def _owners(stack: Stack) -> list[Colleague]:
    """Members with keys of their own, whose word counts."""
    db = Database(stack.told["database_url"], size=2, name="tests")
    await db.open()
    try:
        tenant = str(stack.rows("select tenant_id from tenants where name = 'demo'")[0]["tenant_id"])
        return [await member_of(db, tenant, f"Owner {n}", "owner") for n in range(DECIDING)]
    finally:
        await db.close()


def _decided(url: str, owners: list[Colleague], approvals: list[str]) -> Answers:
    """What every thread was answered for every approval; all begin each one together, half of them with each verdict."""
    together = Barrier(DECIDING)

    def thread(n: int) -> list[tuple[int, dict[str, Any]]]:
        with httpx.Client(base_url=url, headers=owners[n].headers, timeout=WITHIN) as client:
            return [one(client, approval, "approved" if n % 2 else "denied") for approval in approvals]

    def one(client: httpx.Client, approval: str, verdict: str) -> tuple[int, dict[str, Any]]:
        together.wait(WITHIN)
        answer = client.post(f"/v1/approvals/{approval}/decide", json={"verdict": verdict})
        return answer.status_code, answer.json()

    with ThreadPoolExecutor(DECIDING) as pool:
        return list(pool.map(thread, range(DECIDING)))


def _verdict(approval: str, answers: list[tuple[int, dict[str, Any]]], owners: list[Colleague]) -> str:
    """The verdict of the one whose word counted, after a look at what everybody was told."""
    won = [(owners[n].id, body) for n, (status, body) in enumerate(answers) if status == 200]
    assert len(won) == 1, answers
    ((winner, body),) = won
    assert (body["id"], body["decided_by"], body["repeated"]) == (approval, winner, False)
    lost = [body for status, body in answers if status == 409]
    assert [_facts(told) for told in lost] == [_facts(body)] * (DECIDING - 1)
    assert {told["code"] for told in lost} == {"already_decided"}
    return str(body["verdict"])


def _facts(told: dict[str, Any]) -> tuple[str, datetime, str]:
    """Who decided, when, and what."""
    return told["decided_by"], datetime.fromisoformat(told["decided_at"]), told["verdict"]
