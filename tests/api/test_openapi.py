"""The schema at /openapi.json is true, and everything is reached through it."""

from typing import Any

import pytest

from tests.world import World

CURSORS = ("x", "%00", "é", "9" * 18, "9" * 400, "'", "bnVsbA", "WzFlOTksIngiXQ", "WyI5OTk5OTk5OTk5OTk5OTk5OTk5OSIsMV0", "acc_none")
LISTS = (
    "/v1/accounts", "/v1/agents", "/v1/approvals", "/v1/audit", "/v1/bindings", "/v1/connections", "/v1/conversations", "/v1/keys", "/v1/members",
    "/v1/people", "/v1/sessions",
)  # fmt: skip


async def _schema(live: World) -> dict[str, Any]:
    return dict((await live.api.get("/openapi.json")).json())


async def test_every_operation_says_how_its_errors_look(live: World) -> None:
    schema = await _schema(live)
    problem = {"$ref": "#/components/schemas/Problem"}

    for path, methods in schema["paths"].items():
        for operation in methods.values():
            errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
            assert all(answer["content"]["application/problem+json"]["schema"] == problem for answer in errors.values()), path
            if path.startswith("/v1/"):
                assert {"401", "403", "503"} <= set(errors)
                assert operation["security"] == [{"key": []}, {"console": []}]
            if "{" in path:
                assert "404" in errors
    assert "HTTPValidationError" not in schema["components"]["schemas"]


async def test_every_reference_in_the_schema_leads_somewhere(live: World) -> None:
    schema = await _schema(live)
    named = {reference.removeprefix("#/components/schemas/") for reference in _references(schema)}

    assert named - set(schema["components"]["schemas"]) == set()


async def test_what_creates_takes_an_idempotency_key(live: World) -> None:
    posts = [methods["post"] for path, methods in (await _schema(live))["paths"].items() if path.startswith("/v1/") and "post" in methods]

    assert all([parameter["name"] for parameter in post["parameters"]].count("Idempotency-Key") == 1 for post in posts)


@pytest.mark.parametrize("path", LISTS)
async def test_a_cursor_that_is_made_up_is_refused_or_finds_nothing_and_is_no_fault_of_ours(live: World, path: str) -> None:
    statuses = {cursor: (await live.api.get(f"{path}?cursor={cursor}")).status_code for cursor in CURSORS}

    assert set(statuses.values()) <= {200, 422}, statuses


@pytest.mark.parametrize("path", ["/v1/accounts/{account}/peers", "/v1/sessions/{session}/history", "/v1/conversations/{conversation}/messages"])
async def test_a_made_up_cursor_within_something_is_refused(live: World, path: str) -> None:
    session = (await live.api.post("/v1/sessions", json={"agent": "demo", "input": "echo hi"})).json()
    there = path.format(account=live.account, session=session["id"], conversation=session["conversation_id"])

    statuses = {cursor: (await live.api.get(f"{there}?cursor={cursor}")).status_code for cursor in CURSORS}

    assert set(statuses.values()) <= {200, 422}, statuses
    assert statuses["x"] == statuses["%00"] == 422


@pytest.mark.parametrize("query", ["stat=held", "state=holding", "limit=0", "limit=201", "limit=x"])
async def test_a_filter_that_is_none_is_refused_and_named(live: World, query: str) -> None:
    refused = await live.api.get(f"/v1/conversations?{query}")

    assert (refused.status_code, refused.json()["field"]) == (422, query.partition("=")[0])


@pytest.mark.parametrize("path", LISTS)
async def test_pages_follow_each_other_to_the_last(live: World, path: str) -> None:
    for n in range(3):
        await live.api.post("/v1/sessions", json={"agent": "demo"})
        await live.api.post("/v1/agents", json={"name": f"agent {n}"})
        await live.api.post("/v1/accounts", json={"channel": "webchat", "name": f"account {n}"})
        await live.api.post("/v1/bindings", json={"agent": "demo", "chat": f"chat {n}"})
    whole = (await live.api.get(path, params={"limit": 200})).json()
    seen, cursor = [], ""
    while cursor is not None:
        page = (await live.api.get(path, params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += page["items"]
        cursor = page["next"]

    assert seen == whole["items"]
    assert whole["next"] is None


def _references(node: Any) -> set[str]:
    if isinstance(node, dict):
        found = {str(node["$ref"])} if "$ref" in node else set()
        return found.union(*(_references(value) for value in node.values()))
    return set().union(*(_references(value) for value in node)) if isinstance(node, list) else set()
