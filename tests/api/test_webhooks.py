"""What channels call: signed or nothing, once, in order, refused clearly."""

import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.api.conftest import Hook, Receiver
from tests.world import World


def _stored(live: World) -> int:
    return len(live.rows("select 1 from messages where tenant_id = %s"))


async def test_a_signed_call_is_stored_once_and_answered(hook: Hook, live: World, receiver: Receiver) -> None:
    await live.api.patch(f"/v1/accounts/{hook.account['id']}", json={"admission": "open"})

    answers = [(await hook.write("echo hello")).json(), (await hook.write("echo hello")).json()]

    assert answers == [{"accepted": 1, "duplicates": 0}, {"accepted": 0, "duplicates": 1}]
    assert [call["text"] for call in await receiver.has(1)] == ["hello"]
    assert _stored(live) == 2


async def test_what_is_not_signed_is_refused_and_not_stored(hook: Hook, live: World) -> None:
    body = json.dumps({"id": "1", "chat": "bob", "text": "echo hi"}).encode()
    other = await hook.call(body, secret="whsec_" + "A" * 32)
    old = await hook.call(body, at=datetime.now(UTC) - timedelta(minutes=10))
    async with httpx.AsyncClient(base_url=live.api_url) as client:
        plain = await client.post(hook.path, content=body)

    assert [(answer.status_code, answer.json()["code"]) for answer in (other, old, plain)] == [(401, "bad_signature")] * 3
    assert _stored(live) == 0


@pytest.mark.parametrize(("body", "field"), [
    (b'{"id": "1", "chat": "bob"}', "text"),
    (b'{"id": "1", "chat": "bob", "text": ""}', "text"),
    (b'{"id": "", "chat": "bob", "text": "hi"}', "id"),
    (b'{"id": "1", "chat": "%s", "text": "hi"}' % (b"x" * 201), "chat"),
    (b'{"id": "1", "chat": "bob", "text": "%s"}' % (b"x" * 16_001), "text"),
    (b'{"id": 1, "chat": "bob", "text": "hi"}', "id"),
    (b"nonsense", "body"),
    (b"", "body"),
])  # fmt: skip
async def test_a_call_that_does_not_fit_is_refused_with_the_field_named(hook: Hook, live: World, body: bytes, field: str) -> None:
    refused = await hook.call(body)

    assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert _stored(live) == 0


async def test_text_that_postgres_cannot_hold_is_refused_and_not_a_fault_of_ours(hook: Hook, live: World) -> None:
    assert (await hook.write("a\0b")).status_code == 422
    assert _stored(live) == 0


async def test_ids_and_chats_may_be_as_long_as_they_may_in_any_script(hook: Hook, live: World) -> None:
    answer = await hook.write("echo hi", id_="😀" * 200, chat="é" * 200)

    assert (answer.status_code, answer.json()) == (200, {"accepted": 1, "duplicates": 0})


async def test_an_event_of_another_kind_is_taken_and_counted(hook: Hook, live: World) -> None:
    async def counted() -> float:
        lines = (await live.api.get("/metrics")).text.splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith('switchboard_unknown_events_total{channel="webhook"}'))

    before = await counted()
    answer = await hook.call(b'{"type": "reaction", "emoji": "+1"}')

    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "duplicates": 0})
    assert await counted() == before + 1


async def test_an_address_that_is_none_is_not_found(hook: Hook, live: World) -> None:
    paths = ("/webhooks/webhook/acc_none", f"/webhooks/webchat/{hook.account['id']}", f"/webhooks/webchat/{live.account}", "/webhooks/webhook/%00")
    answers = [await hook.call(b"{}", path=path) for path in paths]

    assert [answer.status_code for answer in answers] == [404, 404, 404, 422]
    async with httpx.AsyncClient(base_url=live.api_url) as client:
        assert (await client.get(hook.path)).json() == {"channel": "webhook", "account_id": hook.account["id"], "accepts": "signed POST"}
        assert (await client.get("/webhooks/webhook/acc_none")).status_code == 404


async def test_a_body_without_end_is_cut_off(hook: Hook, live: World) -> None:
    async def endless() -> object:
        for _ in range(200):
            yield b"x" * 10_000

    async with httpx.AsyncClient(base_url=live.api_url) as client:
        answers = [await client.post(hook.path, content=endless()), await client.post(hook.path, content=b"x" * 1_000_001)]

    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(413, "too_large")] * 2


async def test_a_disconnected_account_takes_nothing_until_it_is_connected(hook: Hook, live: World) -> None:
    await live.api.post(f"/v1/accounts/{hook.account['id']}/disconnect")
    refused = await hook.write("echo hi")
    await live.api.post(f"/v1/accounts/{hook.account['id']}/connect")
    taken = await hook.write("echo hi")

    assert (refused.status_code, refused.json()["code"], taken.status_code) == (409, "account_disconnected", 200)
