"""Agents over HTTP."""

from typing import Any

import pytest

from tests.world import World


async def test_an_agent_is_made_read_and_changed_and_its_version_goes_up(live: World) -> None:
    rule = {"gate": "ask", "when": {"argument": "amount", "above": 10}}
    asked = {"name": "helpful", "persona": "Kind.", "tools": [{"name": "refund", "rules": [rule]}]}
    made = await live.api.post("/v1/agents", json=asked)
    changed = await live.api.patch(f"/v1/agents/{made.json()['id']}", json={"persona": "Kinder.", "mode": "one-shot"})
    read = await live.api.get(f"/v1/agents/{made.json()['id']}")

    assert (made.status_code, made.json()["version"], made.json()["mode"], made.json()["backend"]) == (201, 1, "copilot", "scripted")
    assert made.json()["tools"][0]["rules"][0]["when"]["above"] == 10
    assert (changed.json()["persona"], changed.json()["mode"], changed.json()["version"]) == ("Kinder.", "one-shot", 2)
    assert read.json() == changed.json()


@pytest.mark.parametrize(("change", "status", "field"), [
    ({"tools": [{"name": "fly"}]}, 422, "tools"),
    ({"tools": [{"name": "wait"}, {"name": "wait"}]}, 422, "tools"),
    ({"tools": [{"name": "refund", "rules": [{"gate": "ask", "approvers": ["a"], "quorum": 2}]}]}, 422, "tools.0.rules.0"),
    ({"tools": [{"name": "refund", "rules": [{"gate": "maybe"}]}]}, 422, "tools.0.rules.0.gate"),
    ({"backend": "oracle"}, 422, "backend"),
    ({"mode": "frantic"}, 422, "mode"),
    ({"language": "de_DE!"}, 422, "language"),
    ({"name": "demo"}, 409, "name"),
    ({"persona": "x" * 20_001}, 422, "persona"),
    ({"id": "agt_mine"}, 422, "id"),
])  # fmt: skip
async def test_what_does_not_fit_is_refused_with_the_field_named(live: World, change: dict[str, Any], status: int, field: str) -> None:
    made = await live.api.post("/v1/agents", json={"name": "new"} | change)
    changed = await live.api.patch(f"/v1/agents/{(await _other(live))}", json=change)

    assert [(answer.status_code, answer.json()["field"]) for answer in (made, changed)] == [(status, field)] * 2


async def test_a_persona_with_nul_is_refused_and_not_a_fault_of_ours(live: World) -> None:
    assert (await live.api.post("/v1/agents", json={"name": "new", "persona": "a\0b"})).status_code == 422


async def test_a_test_message_is_answered_in_a_session_of_its_own(live: World) -> None:
    tried = await live.api.post(f"/v1/agents/{live.agent}/test-message", json={"text": "echo works"})

    assert tried.status_code == 201
    assert await live.answer(tried.json()["message_id"]) == "works"
    session = (await live.api.get(f"/v1/sessions/{tried.json()['session_id']}")).json()
    assert (session["agent"], session["workflow_id"], session["run_url"]) == ("demo", tried.json()["workflow_id"], tried.json()["run_url"])


async def _other(live: World) -> str:
    return str((await live.api.post("/v1/agents", json={"name": "other"})).json()["id"])
