"""Sessions over HTTP: started, followed, changed, paused, closed, erased."""

import asyncio
from typing import Any

import pytest

from tests.world import World


async def start(live: World, text: str | None = None, **more: Any) -> dict[str, Any]:
    """A session of the demo agent."""
    made = await live.api.post("/v1/sessions", json={"agent": "demo"} | ({"input": text} if text else {}) | more)
    assert made.status_code == 201, made.text
    return dict(made.json())


async def in_phase(live: World, session: str, phase: str) -> dict[str, Any]:
    """The session, as soon as it is in a phase."""
    for _ in range(1500):
        seen = (await live.api.get(f"/v1/sessions/{session}")).json()
        if seen["phase"] == phase:
            return dict(seen)
        await asyncio.sleep(0.02)
    raise AssertionError(f"{session} never was {phase}: {seen}")


async def test_a_session_starts_with_its_input_and_is_written_to(live: World) -> None:
    session = await start(live, "echo one")
    queued = await live.api.post(f"/v1/sessions/{session['id']}/messages", json={"text": "echo two"})

    assert (session["agent"], session["mode"], session["phase"]) == ("demo", "copilot", "active")
    assert session["workflow_id"] == f"session/{live.tenant}/{session['id']}"
    assert session["run_url"].startswith(f"{live.parts.settings.temporal_ui_url}/namespaces/default/workflows/session%2F")
    assert (queued.status_code, queued.json()["duplicate"]) == (202, False)
    assert await live.answer(queued.json()["message_id"]) == "two"
    assert (await in_phase(live, session["id"], "idle"))["turn"] >= 1


async def test_a_mode_is_the_agents_unless_it_is_given(live: World) -> None:
    one_shot = await start(live, "echo only this", mode="one-shot")

    closed = await in_phase(live, one_shot["id"], "closed")
    assert (closed["mode"], closed["phase_reason"]) == ("one-shot", "completed")


async def test_lists_filter_by_phase_mode_and_agent(live: World) -> None:
    waiting, idle = await start(live, "refund 5 to Ana"), await start(live)
    suspended = await start(live, mode="planning-control")
    await live.api.post(f"/v1/sessions/{suspended['id']}/suspend")
    await in_phase(live, waiting["id"], "awaiting_approval")

    async def listed(**filters: str) -> list[str]:
        return [item["id"] for item in (await live.api.get("/v1/sessions", params=filters)).json()["items"]]

    assert await listed(phase="awaiting_approval") == [waiting["id"]]
    assert await listed(phase="idle") == [idle["id"]]
    assert await listed(phase="suspended") == [suspended["id"]]
    assert await listed(mode="planning-control") == [suspended["id"]]
    assert await listed(phase="closed") == await listed(phase="active") == await listed(phase="handed_off") == []
    assert await listed(agent="demo") == await listed(agent=live.agent) == [suspended["id"], idle["id"], waiting["id"]]
    assert await listed(agent="nobody") == []


async def test_a_change_needs_the_version_that_was_read(live: World) -> None:
    session = await start(live)
    path = f"/v1/sessions/{session['id']}"
    tag = (await live.api.get(path)).headers["etag"]

    without = await live.api.patch(path, json={"context": {"a": 1}})
    changed = await live.api.patch(path, json={"context": {"a": 1}, "plan": [{"text": "pack"}]}, headers={"If-Match": tag})
    late = await live.api.patch(path, json={"context": {"b": 2}}, headers={"If-Match": tag})
    nonsense = await live.api.patch(path, json={"context": {"b": 2}}, headers={"If-Match": "yesterday"})
    whatever = await live.api.patch(path, json={"plan": []}, headers={"If-Match": "*"})

    assert (without.status_code, without.json()["code"]) == (428, "precondition_required")
    assert (changed.status_code, changed.json()["context"], changed.json()["plan"]) == (200, {"a": 1}, [{"text": "pack", "done": False}])
    assert changed.headers["etag"] != tag
    assert (late.status_code, late.json()["code"], late.json()["version"]) == (412, "version_mismatch", changed.json()["version"])
    assert nonsense.status_code == 412
    assert (whatever.json()["context"], whatever.json()["plan"]) == ({"a": 1}, [])


@pytest.mark.parametrize("body", [
    b'{"context": {"a": "\\u0000"}}', b'{"context": {"a": "\\ud800"}}', b'{"context": {"a": NaN}}', b'{"context": {"a": 1e999}}', b'{"context": []}',
    b'{"plan": [{"text": ""}]}', b'{"plan": [{"task": "x"}]}', b'{"other": 1}', b"[]", b"{", b"",
])  # fmt: skip
async def test_what_cannot_be_stored_is_refused_and_not_a_fault_of_ours(live: World, body: bytes) -> None:
    session = await start(live)

    refused = await live.api.patch(f"/v1/sessions/{session['id']}", content=body, headers={"If-Match": "*", "content-type": "application/json"})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


async def test_a_suspended_session_keeps_what_is_said_until_it_is_resumed(live: World) -> None:
    session = await start(live)
    paused = await live.api.post(f"/v1/sessions/{session['id']}/suspend")
    queued = (await live.api.post(f"/v1/sessions/{session['id']}/messages", json={"text": "recall color"})).json()
    await asyncio.sleep(0.5)
    still = (await live.api.get(f"/v1/conversations/{queued['conversation_id']}/messages")).json()["items"]

    resumed = await live.api.post(f"/v1/sessions/{session['id']}/resume", json={"context": {"color": "blue"}})

    assert (paused.json()["phase"], paused.json()["phase_reason"]) == ("suspended", "member")
    assert [message["state"] for message in still] == ["pending"]
    assert (resumed.status_code, resumed.json()["context"]) == (200, {"color": "blue"})
    assert "blue" in await live.answer(queued["message_id"])


async def test_cancelling_a_turn_stops_what_is_being_done_and_the_next_message_is_answered(live: World) -> None:
    session = await start(live, "slow 30 never")
    await live.until("select 1 from calls where tenant_id = %s and state = 'started'")

    cancelled = await live.api.post(f"/v1/sessions/{session['id']}/cancel-turn")
    queued = (await live.api.post(f"/v1/sessions/{session['id']}/messages", json={"text": "echo quick"})).json()
    states = (await live.api.get(f"/v1/conversations/{session['conversation_id']}/messages", params={"direction": "inbound"})).json()["items"]

    assert cancelled.status_code == 200
    assert states[0]["state"] == "cancelled"
    assert states[1]["id"] == queued["message_id"]


async def test_a_closed_session_is_readable_and_nothing_else(live: World) -> None:
    session = await start(live, "refund 9 to Ana")
    await in_phase(live, session["id"], "awaiting_approval")
    path = f"/v1/sessions/{session['id']}"

    closed = await live.api.post(f"{path}/close")
    again = await live.api.post(f"{path}/close")
    refused = [await live.api.post(f"{path}/{verb}") for verb in ("suspend", "resume", "cancel-turn")]
    refused.append(await live.api.post(f"{path}/messages", json={"text": "hello?"}))
    refused.append(await live.api.patch(path, json={"context": {}}, headers={"If-Match": "*"}))

    assert (closed.json()["phase"], closed.json()["phase_reason"], again.status_code) == ("closed", "member", 200)
    assert {(answer.status_code, answer.json()["code"]) for answer in refused} == {(409, "session_closed")}
    approvals = (await live.api.get("/v1/approvals", params={"session_id": session["id"]})).json()["items"]
    assert [(approval["state"], approval["verdict"]) for approval in approvals] == [("cancelled", "cancelled")]
    assert await _workflow_result(live, approvals[0]["workflow_id"]) == "cancelled"
    assert (await live.api.get(f"{path}/history")).json()["items"]


async def test_history_tells_everything_in_order_page_by_page(live: World) -> None:
    session = await start(live, "refund 11 to Ana")
    await in_phase(live, session["id"], "awaiting_approval")
    approval = await live.pending_approval()
    await live.api.post(f"/v1/approvals/{approval['id']}/decide", json={"verdict": "approved"})
    await live.until("select 1 from demo_refunds where tenant_id = %s")
    await in_phase(live, session["id"], "idle")

    told: list[dict[str, Any]] = []
    page: dict[str, Any] = {"next": None}
    while not told or page["next"]:
        answer = await live.api.get(f"/v1/sessions/{session['id']}/history", params={"limit": 2} | ({"cursor": page["next"]} if page["next"] else {}))
        page = answer.json()
        told += page["items"]

    assert [item["kind"] for item in told] == ["message", "call", "approval", "step", "message", "message", "step", "message"]
    assert told == (await live.api.get(f"/v1/sessions/{session['id']}/history")).json()["items"]
    assert (told[1]["call"]["tool"], told[1]["call"]["gate"], told[1]["call"]["state"]) == ("refund", "ask", "done")
    assert (told[2]["id"], told[2]["approval"]["verdict"]) == (approval["id"], "approved")
    assert "approved" in told[-1]["message"]["text"]


async def test_deleting_a_session_removes_its_content_and_keeps_the_audit(live: World) -> None:
    session = await start(live, "refund 13 to Secretperson", mode="copilot")
    await in_phase(live, session["id"], "awaiting_approval")
    await live.api.patch(f"/v1/sessions/{session['id']}", json={"context": {"who": "Secretperson"}}, headers={"If-Match": "*"})

    gone = await live.api.delete(f"/v1/sessions/{session['id']}")

    assert gone.status_code == 204
    assert (await live.api.delete(f"/v1/sessions/{session['id']}")).status_code == 204
    assert _everywhere(live, "Secretperson") == []
    seen = (await live.api.get(f"/v1/sessions/{session['id']}")).json()
    assert (seen["phase"], seen["context"], seen["plan"]) == ("closed", {}, [])
    history = (await live.api.get(f"/v1/sessions/{session['id']}/history")).json()["items"]
    assert {(item["kind"], item["message"]["text"]) for item in history} == {("message", "")}
    audit = (await live.api.get("/v1/audit", params={"subject": session["id"]})).json()["items"]
    assert "session.removed" in [row["action"] for row in audit]


async def test_an_agent_that_is_not_there_is_refused_by_name(live: World) -> None:
    refused = await live.api.post("/v1/sessions", json={"agent": "nobody"})

    assert (refused.status_code, refused.json()["field"]) == (422, "agent")


async def test_modes_are_listed_with_what_they_support(live: World) -> None:
    modes = {mode["mode"]: (mode["supports_resume"], mode["supports_hitl"]) for mode in (await live.api.get("/v1/modes")).json()["items"]}

    assert modes == {"one-shot": (False, True), "copilot": (True, True), "planning-control": (True, True), "hitl-interactive": (True, True)}


async def test_a_program_of_the_same_name_does_not_take_the_apis_account(live: World) -> None:
    await live.api.post("/v1/accounts", json={"channel": "webchat", "name": "api"})

    first, second = await start(live, "echo one"), await start(live, "echo two")

    kinds = [account["channel"] for account in (await live.api.get("/v1/accounts")).json()["items"]]
    assert sorted(kinds) == ["api", "webchat", "webchat"]
    assert first["conversation_id"] != second["conversation_id"]


async def test_the_first_sessions_of_a_tenant_share_one_account(live: World) -> None:
    made = await asyncio.gather(*(start(live, f"echo {n}") for n in range(6)))

    assert len({session["id"] for session in made}) == 6
    assert len(live.rows("select 1 from accounts where tenant_id = %s and channel = 'api'")) == 1


async def _workflow_result(live: World, workflow_id: str) -> str:
    return str(await asyncio.wait_for(live.parts.temporal.get_workflow_handle(workflow_id).result(), 30))


def _everywhere(live: World, word: str) -> list[str]:
    """The tables in which a word is still stored for this tenant."""
    tables = live.sql.execute("select relname from pg_class where relkind = 'r' and relrowsecurity").fetchall()
    names = [row["relname"] for row in tables if row["relname"] not in ("demo_refunds", "idempotency")]
    return [name for name in names if live.rows(f"select 1 from {name} t where t.tenant_id = %s and t::text like %s limit 1", f"%{word}%")]
