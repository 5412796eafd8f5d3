"""API keys over HTTP; who calls; who did what; what it cost."""

from datetime import UTC, datetime, timedelta

import httpx

from tests.world import World


def _with(live: World, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=live.api_url, headers={"authorization": f"Bearer {key}"}, timeout=30)


async def test_a_key_is_shown_once_and_works_until_it_is_revoked(live: World) -> None:
    made = (await live.api.post("/v1/keys", json={"name": "script"})).json()
    listed = (await live.api.get("/v1/keys")).text

    async with _with(live, made["key"]) as script:
        before = await script.get("/v1/me")
        revoked = [await live.api.delete(f"/v1/keys/{made['id']}") for _ in range(2)]
        after = await script.get("/v1/me")

    assert (made["role"], made["prefix"]) == ("customer_operator", made["key"][:8])
    assert made["key"] not in listed
    assert (before.json()["role"], before.json()["key_id"]) == ("customer_operator", made["id"])
    assert "create_key" not in before.json()["operations"]
    assert [answer.status_code for answer in revoked] == [204, 204]
    assert after.status_code == 401
    assert live.rows("select 1 from keys k where k.tenant_id = %s and k::text like %s", f"%{made['key']}%") == []


async def test_a_key_may_not_do_more_than_its_maker(live: World) -> None:
    async with live.parts.db.transaction(live.tenant) as tx:
        await tx.run("audit/add", actor="t", action="t", subject="t", details="{}")
    higher = await live.api.post("/v1/keys", json={"name": "higher", "role": "platform_admin"})
    own = await live.api.post("/v1/keys", json={"name": "own", "role": "customer_admin"})

    assert (higher.status_code, higher.json()["code"], higher.json()["field"]) == (403, "forbidden", "role")
    assert own.status_code == 201


async def test_a_key_of_a_higher_role_cannot_be_revoked(live: World) -> None:
    live.sql.execute("update keys set role = 'platform_admin' where tenant_id = %s", (live.tenant,))
    lesser = (await live.api.post("/v1/keys", json={"name": "lesser", "role": "customer_admin"})).json()
    higher = (await live.api.get("/v1/keys")).json()["items"][-1]

    async with _with(live, lesser["key"]) as client:
        assert (await client.delete(f"/v1/keys/{higher['id']}")).status_code == 404
        assert (await client.delete(f"/v1/keys/{lesser['id']}")).status_code == 204


async def test_a_key_expires(live: World) -> None:
    soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    made = (await live.api.post("/v1/keys", json={"name": "short", "expires_at": soon})).json()
    past = await live.api.post("/v1/keys", json={"name": "past", "expires_at": "2020-01-01T00:00:00Z"})
    no_zone = await live.api.post("/v1/keys", json={"name": "no zone", "expires_at": "2099-01-01T00:00:00"})

    live.sql.execute("update keys set expires_at = now() where tenant_id = %s and id = %s", (live.tenant, made["id"]))

    async with _with(live, made["key"]) as client:
        assert (await client.get("/v1/me")).status_code == 401
    assert [(answer.status_code, answer.json()["field"]) for answer in (past, no_zone)] == [(422, "expires_at")] * 2


async def test_who_calls_is_told_what_it_may(live: World) -> None:
    me = (await live.api.get("/v1/me")).json()
    people = (await live.api.get("/v1/members")).json()["items"]

    assert (me["tenant_id"], me["member_id"], me["role"]) == (live.tenant, live.member.id, "customer_admin")
    assert set(me["identities"]) == set(live.owner)
    assert "create_key" in me["operations"]
    assert [(member["id"], member["tier"]) for member in people] == [(live.member.id, "owner")]


async def test_what_was_done_is_told_newest_first_page_by_page_and_by_subject(live: World) -> None:
    agent = (await live.api.post("/v1/agents", json={"name": "audited"})).json()["id"]
    await live.api.patch(f"/v1/agents/{agent}", json={"persona": "secret words"})
    first = (await live.api.get("/v1/audit", params={"limit": 1})).json()
    second = (await live.api.get("/v1/audit", params={"limit": 1, "cursor": first["next"]})).json()

    assert [row["action"] for row in first["items"] + second["items"]] == ["agent.changed", "agent.created"]
    assert first["items"][0]["details"] == {"changed": ["persona"]}
    assert [row["actor"] for row in (await live.api.get("/v1/audit", params={"subject": agent})).json()["items"]] == [live.member.id] * 2
    assert (await live.api.get("/v1/audit", params={"action": "no.such"})).json() == {"items": [], "next": None}


async def test_usage_adds_up_what_models_cost(live: World) -> None:
    session = (await live.api.post("/v1/sessions", json={"agent": "demo"})).json()["id"]
    insert = ("insert into requests (tenant_id, session_id, turn, n, attempt, model, outcome, tokens_in, tokens_out, cost_usd, took_seconds)"
              " values (%s, %s, 1, 1, 1, %s, %s, 100, 10, %s, 0.5)")  # fmt: skip
    for model, outcome, cost in (("big", "used", 0.5), ("big", "discarded", 0.25), ("small", "used", None)):
        live.sql.execute(insert, (live.tenant, session, model, outcome, cost))

    usage = (await live.api.get("/v1/usage")).json()
    earlier = (await live.api.get("/v1/usage", params={"until": "2020-01-01T00:00:00Z"})).json()

    assert [(row["model"], row["requests"], row["used"], row["cost_usd"]) for row in usage["items"]] == [("big", 2, 1, 0.75), ("small", 1, 1, None)]
    assert (usage["requests"], usage["tokens_in"], usage["tokens_out"], usage["cost_usd"]) == (3, 300, 30, 0.75)
    assert earlier["items"] == []
