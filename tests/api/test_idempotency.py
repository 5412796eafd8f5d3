"""Idempotency-Key: carried out once, answered the same; another request, a running one and a broken one told apart."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api import errors
from api.idempotency import Idempotent
from api.openapi import Application
from domain.errors import StoreUnavailable
from tests.world import World

KEY = {"Idempotency-Key": "once"}
ASKED: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("/v1/accounts", {"channel": "webchat", "name": "twice"}, "accounts"),
    ("/v1/bindings", {"agent": "demo", "chat": "twice"}, "bindings"),
    ("/v1/agents", {"name": "twice"}, "agents"),
    ("/v1/sessions", {"agent": "demo", "input": "echo twice"}, "sessions"),
    ("/v1/keys", {"name": "twice"}, "keys"),
    ("/v1/approvals", {"action": "twice", "arguments": {"n": 1}}, "approvals"),
)


@pytest.mark.parametrize(("path", "body", "table"), ASKED)
async def test_the_same_request_is_carried_out_once_and_answered_the_same(live: World, path: str, body: dict[str, Any], table: str) -> None:
    before = len(live.rows(f"select 1 from {table} where tenant_id = %s"))

    first, again = [await live.api.post(path, json=body, headers=KEY) for _ in range(2)]
    other = await live.api.post(path, json=body | {"name": "other"}, headers=KEY)

    assert first.status_code == again.status_code == 201
    assert again.json() == first.json()
    assert "idempotent-replayed" not in first.headers
    assert again.headers["idempotent-replayed"] == "true"
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert len(live.rows(f"select 1 from {table} where tenant_id = %s")) == before + 1


def _break_off(live: World) -> None:
    """As if the process had died between the commit and the answer, two minutes ago."""
    broken = "update idempotency set status = null, sealed = null, created_at = now() - interval '2 min' where tenant_id = %s"
    live.sql.execute(broken, (live.tenant,))


async def test_a_members_words_are_said_once_even_if_the_answer_was_never_kept(live: World) -> None:
    conversation = (await live.write("echo hi")).conversation_id
    path, body = f"/v1/conversations/{conversation}/messages", {"text": "Only once."}
    first = await live.api.post(path, json=body, headers=KEY)
    _break_off(live)

    again = await live.api.post(path, json=body, headers=KEY)

    assert "idempotent-replayed" not in again.headers
    assert again.json()["id"] == first.json()["id"]
    assert len(live.rows("select 1 from messages where tenant_id = %s and text = 'Only once.'")) == 1


async def test_a_session_and_what_is_said_to_it_are_one_even_if_the_answers_were_never_kept(live: World) -> None:
    made, said = [], []
    for _ in range(2):
        made.append((await live.api.post("/v1/sessions", json={"agent": "demo", "input": "echo one"}, headers=KEY)).json())
        path = f"/v1/sessions/{made[0]['id']}/messages"
        said.append((await live.api.post(path, json={"text": "echo two"}, headers={"Idempotency-Key": "two"})).json())
        _break_off(live)

    assert made[0]["id"] == made[1]["id"]
    assert (said[0]["message_id"], said[0]["duplicate"]) == (said[1]["message_id"], False)
    assert said[1]["duplicate"]
    assert len(live.rows("select 1 from messages where tenant_id = %s and direction = 'inbound'")) == 2


async def test_of_many_at_once_one_is_carried_out(live: World) -> None:
    answers = await asyncio.gather(*(live.api.post("/v1/sessions", json={"agent": "demo", "input": "echo hi"}, headers=KEY) for _ in range(8)))

    made = [answer for answer in answers if answer.status_code == 201]
    running = [answer for answer in answers if answer.status_code == 409]
    assert len(made) + len(running) == 8
    assert len({answer.json()["id"] for answer in made}) == 1
    assert sum("idempotent-replayed" not in answer.headers for answer in made) == 1
    assert {(answer.json()["code"], answer.headers["retry-after"]) for answer in running} <= {("idempotency_key_in_use", "1")}
    assert len(live.rows("select 1 from sessions where tenant_id = %s")) == 1


async def test_a_running_request_is_waited_for_and_a_broken_one_taken_over(live: World) -> None:
    body = json.dumps({"name": "broken"}).encode()
    me = (await live.api.get("/v1/me")).json()["key_id"]
    digest = hashlib.sha256(b"POST /v1/agents?\n" + body).hexdigest()
    live.sql.execute("insert into idempotency (tenant_id, actor, key, request_sha256) values (%s, %s, 'once', %s)", (live.tenant, me, digest))

    async def ask() -> httpx.Response:
        return await live.api.post("/v1/agents", content=body, headers=KEY | {"content-type": "application/json"})

    running = await ask()
    live.sql.execute("update idempotency set created_at = now() - interval '61 s' where tenant_id = %s", (live.tenant,))
    taken_over, kept = await ask(), await ask()

    assert (running.status_code, running.json()["code"], running.headers["retry-after"]) == (409, "idempotency_key_in_use", "1")
    assert (taken_over.status_code, kept.headers["idempotent-replayed"]) == (201, "true")


async def test_a_refused_request_leaves_its_key_free(live: World) -> None:
    refused = await live.api.post("/v1/agents", json={"name": "demo"}, headers=KEY)
    malformed = await live.api.post("/v1/agents", json={"name": ""}, headers=KEY)
    made = await live.api.post("/v1/agents", json={"name": "free"}, headers=KEY)

    assert [answer.status_code for answer in (refused, malformed, made)] == [409, 422, 201]


async def test_after_a_day_a_key_is_a_new_one(live: World) -> None:
    body = {"agent": "demo", "input": "echo today"}
    yesterday = await live.api.post("/v1/sessions", json=body, headers=KEY)
    live.sql.execute("update idempotency set first_at = now() - interval '25 h' where tenant_id = %s", (live.tenant,))

    today = await live.api.post("/v1/sessions", json=body, headers=KEY)
    other = await live.api.post("/v1/agents", json={"name": "other"}, headers=KEY)

    assert (yesterday.status_code, today.status_code, other.status_code) == (201, 201, 422)
    assert today.json()["id"] != yesterday.json()["id"]


async def test_a_secret_that_is_shown_once_is_sealed_in_what_is_kept(live: World) -> None:
    key = (await live.api.post("/v1/keys", json={"name": "secret"}, headers=KEY)).json()["key"]
    kept = live.rows("select status, sealed, i::text as plain from idempotency i where tenant_id = %s")[0]

    assert key not in kept["plain"]
    assert key.encode() not in bytes(kept["sealed"])
    assert key in live.parts.seal.open(bytes(kept["sealed"]))["body"]


async def test_a_key_is_its_callers_own(live: World) -> None:
    admin = (await live.api.post("/v1/keys", json={"name": "made"}, headers=KEY)).json()
    operator = (await live.api.post("/v1/keys", json={"name": "operator"})).json()["key"]
    async with httpx.AsyncClient(base_url=live.api_url, headers={"authorization": f"Bearer {operator}"}) as client:
        same = await client.post("/v1/keys", json={"name": "made"}, headers=KEY)
        session = await client.post("/v1/sessions", json={"agent": "demo"}, headers=KEY)

    assert admin["key"]
    assert same.status_code == 403
    assert session.status_code == 201


async def test_a_key_has_a_length(live: World) -> None:
    answers = [await live.api.post("/v1/agents", json={"name": "x"}, headers={"Idempotency-Key": key}) for key in ("", "k" * 256)]

    assert [(answer.status_code, answer.json()["field"].lower()) for answer in answers] == [(422, "idempotency-key")] * 2


@pytest.fixture
async def failing(live: World) -> AsyncIterator[tuple[httpx.AsyncClient, list[int]]]:
    """The same store and members behind a route that fails the first time it is asked."""
    tries: list[int] = []
    app = Application(title="failing")
    app.state.parts = live.parts
    errors.install(app)

    async def create_agent() -> dict[str, int]:
        tries.append(len(tries) + 1)
        if len(tries) == 1:
            raise StoreUnavailable
        return {"tries": len(tries)}

    app.router.route_class = Idempotent
    app.post("/v1/agents", status_code=201)(create_agent)
    headers = {"authorization": f"Bearer {live.token}"}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test", headers=headers) as client:
        yield client, tries


async def test_a_fault_of_ours_is_not_kept(failing: tuple[httpx.AsyncClient, list[int]]) -> None:
    client, tries = failing

    answers = [await client.post("/v1/agents", headers=KEY) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [503, 201, 201]
    assert answers[1].json() == answers[2].json() == {"tries": 2}
    assert tries == [1, 2]
