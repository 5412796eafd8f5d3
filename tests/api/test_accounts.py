"""Accounts over HTTP: checked by their channel, their secrets sealed, whoever waits let in when that changes."""

from typing import Any

import pytest

from tests.api.conftest import SECRET, Hook
from tests.world import World


async def test_every_channel_says_what_an_account_of_it_needs(live: World) -> None:
    kinds = {kind["name"]: kind for kind in (await live.api.get("/v1/channels")).json()["items"]}

    assert set(kinds) >= {"webchat", "webhook", "api"}
    assert kinds["webchat"]["commit_delivers"]
    assert kinds["webchat"]["streams"]
    assert kinds["webhook"]["webhooks"]
    assert kinds["webhook"]["secrets"]["required"] == ["secret"]
    assert "deliver_url" in kinds["webhook"]["settings"]["required"]


async def test_secrets_are_sealed_and_shown_by_their_last_four_characters(hook: Hook, live: World) -> None:
    seen = (await live.api.get(f"/v1/accounts/{hook.account['id']}")).json()
    stored = live.rows("select sealed, settings::text || secrets_shown::text as plain from accounts where tenant_id = %s and id = %s", seen["id"])[0]

    assert seen["secrets"] == {"secret": f"…{SECRET[-4:]}"}
    assert SECRET not in str(stored["plain"])
    assert SECRET.encode() not in bytes(stored["sealed"])
    assert live.parts.seal.open(bytes(stored["sealed"])) == {"secret": SECRET}


async def test_an_account_that_needs_no_linking_is_connected_at_once_and_asks_before_it_lets_strangers_in(live: World) -> None:
    made = await live.api.post("/v1/accounts", json={"channel": "webchat", "name": "second"})

    assert made.status_code == 201
    assert made.json()["state"] == "connected"
    assert made.json()["admission"] == "ask"
    assert made.json()["chat_url"].endswith(f"/chat/{made.json()['id']}")
    assert made.json()["webhook_url"] is None


@pytest.mark.parametrize(("change", "field"), [
    ({"channel": "pigeon"}, "channel"),
    ({"settings": {}}, "settings.deliver_url"),
    ({"settings": {"deliver_url": "ftp://x"}}, "settings.deliver_url"),
    ({"settings": {"deliver_url": "http://x", "more": 1}}, "settings.more"),
    ({"secrets": {}}, "secrets.secret"),
    ({"secrets": {"secret": "whsec_" + "!" * 30}}, "secrets.secret"),
    ({"name": ""}, "name"),
    ({"name": "a\0b"}, "name"),
    ({"name": "x" * 101}, "name"),
    ({"debounce": 61}, "debounce"),
    ({"admission": "maybe"}, "admission"),
    ({"owner_identities": [""]}, "owner_identities.0"),
    ({"unknown": 1}, "unknown"),
])  # fmt: skip
async def test_what_does_not_fit_is_refused_with_the_field_named_and_nothing_is_stored(live: World, change: dict[str, Any], field: str) -> None:
    fits = {"channel": "webhook", "name": "hook", "settings": {"deliver_url": "http://127.0.0.1:9"}, "secrets": {"secret": SECRET}}

    refused = await live.api.post("/v1/accounts", json=fits | change)

    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert refused.headers["content-type"] == "application/problem+json"
    assert len((await live.api.get("/v1/accounts")).json()["items"]) == 1


@pytest.mark.parametrize(("query", "found"), [
    ({}, ["hook", "web"]),
    ({"channel": "webhook"}, ["hook"]),
    ({"state": "connected"}, ["web"]),
    ({"state": "logged_out"}, ["hook"]),
    ({"state": "logged_out", "channel": "webchat"}, []),
])  # fmt: skip
async def test_accounts_are_listed_by_state_and_channel(hook: Hook, live: World, query: dict[str, str], found: list[str]) -> None:
    await live.api.post(f"/v1/accounts/{hook.account['id']}/disconnect")

    assert [account["name"] for account in (await live.api.get("/v1/accounts", params=query)).json()["items"]] == found


async def test_a_state_that_is_none_is_refused(live: World) -> None:
    refused = await live.api.get("/v1/accounts?state=asleep")

    assert (refused.status_code, refused.json()["field"]) == (422, "state")


async def test_a_name_is_one_accounts(live: World) -> None:
    taken = await live.api.post("/v1/accounts", json={"channel": "webchat", "name": "web"})
    other = (await live.api.post("/v1/accounts", json={"channel": "webchat", "name": "other"})).json()
    renamed = await live.api.patch(f"/v1/accounts/{other['id']}", json={"name": "web"})

    assert [(answer.status_code, answer.json()["field"]) for answer in (taken, renamed)] == [(409, "name"), (409, "name")]


async def test_a_change_changes_what_is_given_only(hook: Hook, live: World) -> None:
    changed = (await live.api.patch(f"/v1/accounts/{hook.account['id']}", json={"debounce": 1.5})).json()

    assert changed == hook.account | {"debounce": 1.5}


async def test_who_waits_is_let_in_when_the_admission_changes(hook: Hook, live: World) -> None:
    await hook.write("echo let me in")
    await live.until("select 1 from conversations where tenant_id = %s and state = 'held'")

    await live.api.patch(f"/v1/accounts/{hook.account['id']}", json={"admission": "open"})

    message = live.rows("select id from messages where tenant_id = %s and direction = 'inbound'")[0]["id"]
    assert await live.answer(message) == "let me in"


async def test_who_waits_is_let_in_when_he_is_named_an_owner(hook: Hook, live: World) -> None:
    await hook.write("echo it is me", chat="me")
    await live.until("select 1 from conversations where tenant_id = %s and state = 'held'")

    await live.api.patch(f"/v1/accounts/{hook.account['id']}", json={"owner_identities": ["me"]})

    message = live.rows("select id from messages where tenant_id = %s and direction = 'inbound'")[0]["id"]
    assert await live.answer(message) == "it is me"


async def test_peers_are_listed_page_by_page(hook: Hook, live: World) -> None:
    names = [f"peer {n} é" for n in range(5)]
    for name in names:
        await hook.write("echo hi", id_=name, chat=name, sender_name=name.upper())

    seen, cursor = [], None
    while True:
        page = (await live.api.get(f"/v1/accounts/{hook.account['id']}/peers", params={"limit": 2} | ({"cursor": cursor} if cursor else {}))).json()
        seen += [(peer["external_id"], peer["name"], peer["tier"]) for peer in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    assert seen == [(name, name.upper(), "guest") for name in reversed(names)]


async def test_removing_an_account_closes_its_sessions_and_leaves_them_readable(live: World) -> None:
    assert await live.say("refund 7 to Ana")
    approval = await live.pending_approval()

    gone = await live.api.delete(f"/v1/accounts/{live.account}")

    assert gone.status_code == 204
    assert (await live.api.get(f"/v1/accounts/{live.account}")).status_code == 404
    session = (await live.api.get(f"/v1/sessions/{approval['session_id']}")).json()
    assert (session["phase"], session["phase_reason"], session["conversation_id"]) == ("closed", "member", None)
    assert (await live.api.get("/v1/bindings")).json()["items"] == []
    assert (await live.api.get("/v1/conversations")).json()["items"] == []


async def test_connections_tell_how_every_account_stands(hook: Hook, live: World) -> None:
    await live.api.post(f"/v1/accounts/{hook.account['id']}/disconnect")
    standing = {item["name"]: (item["state"], item["open_chats"]) for item in (await live.api.get("/v1/connections")).json()["items"]}

    assert standing == {"web": ("connected", 0), "hook": ("logged_out", 0)}
