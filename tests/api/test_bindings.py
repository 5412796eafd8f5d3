"""Bindings over HTTP: a change is felt by what waits, and by conversations that another agent has."""

from typing import Any

import pytest

from tests.world import World


async def _second_agent(live: World) -> str:
    tools = [{"name": "wait"}, {"name": "refund", "rules": [{"gate": "ask"}]}]
    made = await live.api.post("/v1/agents", json={"name": "second", "tools": tools})
    assert made.status_code == 201
    return str(made.json()["id"])


async def _agent_of(live: World, chat: str = "visitor") -> str:
    conversation = (await live.api.get("/v1/conversations")).json()["items"]
    session = next(item["session_id"] for item in conversation if item["address"]["chat"] == chat)
    return str((await live.api.get(f"/v1/sessions/{session}")).json()["agent_id"])


async def _until_with(live: World, agent: str, chat: str = "visitor") -> None:
    await live.until(
        "select 1 from conversations c join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id"
        " where c.tenant_id = %s and c.chat = %s and s.agent_id = %s and c.wake_at is null and c.next_session_id is null", chat, agent,
    )  # fmt: skip


async def test_what_nothing_matched_is_routed_as_soon_as_a_binding_does(live: World) -> None:
    binding = (await live.api.get("/v1/bindings")).json()["items"][0]["id"]
    await live.api.delete(f"/v1/bindings/{binding}")
    message = await live.write("echo at last")
    await live.until("select 1 from conversations where tenant_id = %s and state = 'unbound'")

    made = await live.api.post("/v1/bindings", json={"account": "web", "agent": live.agent})

    assert made.status_code == 201
    assert made.json()["agent"] == "demo"
    assert await live.answer(message) == "at last"


async def test_a_more_specific_binding_takes_settled_conversations_over_and_gives_them_back(live: World) -> None:
    second = await _second_agent(live)
    await live.say("echo one")
    await live.say("echo other", chat="someone")

    binding = (await live.api.post("/v1/bindings", json={"account": "web", "chat": "vis[i]*", "agent": "second"})).json()["id"]
    await _until_with(live, second)
    assert await live.say("echo two") == "two"
    assert await _agent_of(live) == second
    assert await _agent_of(live, "someone") == live.agent

    await live.api.delete(f"/v1/bindings/{binding}")
    await _until_with(live, live.agent)
    assert await live.say("echo three") == "three"


async def test_a_conversation_changes_over_at_the_end_of_its_turn(live: World) -> None:
    second = await _second_agent(live)
    slow = await live.write("slow 2 done")
    await live.until("select 1 from sessions where tenant_id = %s and step > 0")

    changed = (await live.api.get("/v1/bindings")).json()["items"][0]
    await live.api.patch(f"/v1/bindings/{changed['id']}", json={"agent": "second"})

    assert await live.answer(slow) == "done"
    turn = live.rows("select s.agent_id from messages m join sessions s on s.tenant_id = m.tenant_id and s.id = m.session_id"
                     " where m.tenant_id = %s and m.direction = 'outbound'")  # fmt: skip
    assert [row["agent_id"] for row in turn] == [live.agent]
    await _until_with(live, second)
    assert await live.say("echo next") == "next"


async def test_sessions_that_were_started_for_an_agent_keep_it(live: World) -> None:
    second = await _second_agent(live)
    session = (await live.api.post("/v1/sessions", json={"agent": "demo", "input": "echo one"})).json()

    await live.api.post("/v1/bindings", json={"agent": "second"})
    await live.api.post("/v1/bindings", json={"account": "api", "agent": "second"})
    await live.say("echo settled", chat="new one")
    queued = (await live.api.post(f"/v1/sessions/{session['id']}/messages", json={"text": "echo two"})).json()

    assert await live.answer(queued["message_id"]) == "two"
    assert await _agent_of(live, session["id"]) == live.agent
    assert second


@pytest.mark.parametrize(("asked", "status", "field"), [
    ({"agent": "nobody"}, 422, "agent"),
    ({"agent": "demo", "account": "nowhere"}, 422, "account"),
    ({"agent": "demo", "account": "web"}, 409, "chat"),
    ({"agent": "demo", "chat": "a\0"}, 422, "chat"),
    ({"agent": "demo", "chat": "x" * 513}, 422, "chat"),
    ({}, 422, "agent"),
    ({"agent": "demo", "agent_id": "x"}, 422, "agent_id"),
])  # fmt: skip
async def test_what_cannot_be_bound_is_refused_with_the_field_named(live: World, asked: dict[str, Any], status: int, field: str) -> None:
    refused = await live.api.post("/v1/bindings", json=asked)

    assert (refused.status_code, refused.json()["field"]) == (status, field)


async def test_an_account_can_be_taken_from_a_binding(live: World) -> None:
    binding = (await live.api.get("/v1/bindings")).json()["items"][0]

    every = (await live.api.patch(f"/v1/bindings/{binding['id']}", json={"account": None})).json()
    narrow = (await live.api.patch(f"/v1/bindings/{binding['id']}", json={"account": "web", "chat": "a*"})).json()

    assert (every["account_id"], every["account"], every["chat"]) == (None, None, "*")
    assert (narrow["account_id"], narrow["account"], narrow["chat"], narrow["agent"]) == (live.account, "web", "a*", "demo")
