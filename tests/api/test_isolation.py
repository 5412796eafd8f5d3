"""One tenant's ids are nothing to another: every operation on them answers 404, and no list shows them."""

from typing import Any

from tests.world import World


async def test_another_tenants_ids_are_not_found(live: World, stranger: World) -> None:
    session = (await live.api.post("/v1/sessions", json={"agent": "demo", "input": "refund 5 to Ana"})).json()
    approval = await live.pending_approval()
    message = (await live.api.get(f"/v1/conversations/{session['conversation_id']}/messages")).json()["items"][0]["id"]
    binding = (await live.api.get("/v1/bindings")).json()["items"][0]["id"]
    key = (await live.api.get("/v1/keys")).json()["items"][0]["id"]
    at = {"session": session["id"], "conversation": session["conversation_id"], "approval": approval["id"], "message": message, "binding": binding}
    asked = [(method, path.format(**at, account=live.account, agent=live.agent, key=key), body) for method, path, body in ON_AN_ID]

    answers = [await stranger.api.request(method, path, json=body, headers={"If-Match": "*"}) for method, path, body in asked]

    assert [(answer.request.method, answer.url.path, answer.status_code) for answer in answers if answer.status_code != 404] == []
    assert (await live.api.get(f"/v1/sessions/{session['id']}")).json()["phase"] == "awaiting_approval"
    assert (await live.api.get("/v1/keys")).json()["items"][0]["revoked_at"] is None


async def test_lists_show_ones_own_only(live: World, stranger: World) -> None:
    await live.api.post("/v1/sessions", json={"agent": "demo", "input": "echo hello"})
    mine = {path: _ids(await live.api.get(path)) for path in LISTS}
    theirs = {path: _ids(await stranger.api.get(path)) for path in LISTS}

    assert all(not mine[path] & theirs[path] for path in LISTS)
    assert mine["/v1/sessions"]
    assert theirs["/v1/sessions"] == set()


async def test_what_a_binding_or_session_names_has_to_be_ones_own(live: World, stranger: World) -> None:
    elsewhere = await stranger.api.post("/v1/bindings", json={"agent": live.agent})
    agent = await stranger.api.post("/v1/sessions", json={"agent": live.agent})
    account = await stranger.api.post("/v1/bindings", json={"agent": "demo", "account": live.account})

    assert [answer.status_code for answer in (elsewhere, agent, account)] == [422] * 3
    assert [answer.json()["field"] for answer in (elsewhere, agent, account)] == ["agent", "agent", "account"]


def _ids(answer: Any) -> set[str]:
    return {str(item["id"]) for item in answer.json()["items"]}


LISTS = (
    "/v1/accounts", "/v1/bindings", "/v1/agents", "/v1/conversations", "/v1/sessions", "/v1/approvals", "/v1/keys", "/v1/members", "/v1/people",
    "/v1/connections",
)  # fmt: skip
ON_AN_ID: tuple[tuple[str, str, Any], ...] = (
    ("GET", "/v1/accounts/{account}", None),
    ("PATCH", "/v1/accounts/{account}", {"name": "mine"}),
    ("DELETE", "/v1/accounts/{account}", None),
    ("POST", "/v1/accounts/{account}/connect", None),
    ("POST", "/v1/accounts/{account}/disconnect", None),
    ("GET", "/v1/accounts/{account}/peers", None),
    ("PATCH", "/v1/bindings/{binding}", {"chat": "x"}),
    ("DELETE", "/v1/bindings/{binding}", None),
    ("GET", "/v1/agents/{agent}", None),
    ("PATCH", "/v1/agents/{agent}", {"persona": "mine"}),
    ("POST", "/v1/agents/{agent}/test-message", {"text": "echo hi"}),
    ("GET", "/v1/conversations/{conversation}", None),
    ("GET", "/v1/conversations/{conversation}/messages", None),
    ("POST", "/v1/conversations/{conversation}/messages", {"text": "hi"}),
    ("POST", "/v1/conversations/{conversation}/admit", {"verdict": "admit"}),
    ("POST", "/v1/messages/{message}/resend", None),
    ("POST", "/v1/messages/{message}/mark-sent", None),
    ("POST", "/v1/messages/{message}/drop", None),
    ("GET", "/v1/sessions/{session}", None),
    ("PATCH", "/v1/sessions/{session}", {"context": {}}),
    ("DELETE", "/v1/sessions/{session}", None),
    ("GET", "/v1/sessions/{session}/history", None),
    ("POST", "/v1/sessions/{session}/messages", {"text": "hi"}),
    ("POST", "/v1/sessions/{session}/suspend", None),
    ("POST", "/v1/sessions/{session}/resume", None),
    ("POST", "/v1/sessions/{session}/close", None),
    ("POST", "/v1/sessions/{session}/cancel-turn", None),
    ("GET", "/v1/approvals/{approval}", None),
    ("POST", "/v1/approvals/{approval}/decide", {"verdict": "approved"}),
    ("DELETE", "/v1/keys/{key}", None),
)
