"""What a program may post: signed, recent and well-formed, stored once; anything else is refused and nothing is stored."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.journeys.receiver import receiving
from tests.journeys.wire import Wired, old, wired
from tests.world import World

EVENT: dict[str, Any] = {"type": "message", "id": "e1", "chat": "caller", "text": "echo hello"}


@pytest.fixture
async def wire(live: World) -> AsyncIterator[Wired]:
    """An account and the program behind it."""
    async with receiving() as receiver:
        yield await wired(live, receiver)


def _stored(wire: Wired) -> int:
    return len(wire.world.rows("select 1 from messages where tenant_id = %s and direction = 'inbound'"))


async def test_a_signed_message_is_accepted_once_however_often_it_comes(wire: Wired) -> None:
    first = await wire.write("echo hello", id_="same")
    again = await wire.write("echo hello", id_="same")
    elsewhere = await wire.write("echo hello", id_="same", chat="another")

    assert [answer.json() for answer in (first, again, elsewhere)] == [
        {"accepted": 1, "duplicates": 0}, {"accepted": 0, "duplicates": 1}, {"accepted": 1, "duplicates": 0},
    ]  # fmt: skip
    await wire.world.until("select 1 from messages where tenant_id = %s and direction = 'outbound' and state = 'sent' having count(*) = 2")
    assert sorted(call["chat"] for call in wire.receiver.calls) == ["another", "caller"]


async def test_wrong_old_and_missing_signatures_are_401_and_store_nothing(wire: Wired) -> None:
    body = json.dumps(EVENT).encode()
    answers = [
        await wire.post(body, secret="whsec_" + "b3RoZXIgc2VjcmV0IG9mIHNvbWVib2R5IGVsc2UgYWx0b2dldGhlcg=="),
        await wire.post(body, at=old()),
        await wire.post(body, instead={"webhook-signature": ""}),
        await wire.post(body, instead={"webhook-signature": "v1,AAAA"}),
        await wire.post(body, instead={"webhook-timestamp": "yesterday"}),
        await wire.post(body, instead={"webhook-id": "evt_2"}),
    ]

    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(401, "bad_signature")}
    assert _stored(wire) == 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"[]", "body"),
        (b"\xff\xfe", "body"),
        (json.dumps(EVENT | {"chat": ""}).encode(), "chat"),
        (json.dumps(EVENT | {"text": ""}).encode(), "text"),
        (json.dumps(EVENT | {"text": "x" * 16_001}).encode(), "text"),
        (json.dumps({name: value for name, value in EVENT.items() if name != "id"}).encode(), "id"),
        (json.dumps(EVENT | {"sender": 7}).encode(), "sender"),
    ],
)
async def test_a_signed_body_that_is_not_a_message_is_refused_with_the_field_named(wire: Wired, body: bytes, field: str) -> None:
    answer = await wire.post(body)

    assert answer.status_code in (401, 422)
    if answer.status_code == 422:
        assert (answer.json()["code"], answer.json()["field"]) == ("invalid", field)
    assert _stored(wire) == 0


@pytest.mark.parametrize("text", ["nul \0 inside", "half a surrogate \ud800"])
async def test_text_that_postgres_cannot_hold_is_a_clear_4xx(wire: Wired, text: str) -> None:
    answer = await wire.post(json.dumps(EVENT | {"text": text}).encode())

    assert 400 <= answer.status_code < 500
    assert _stored(wire) == 0


async def test_an_unknown_account_and_another_channel_are_404(wire: Wired) -> None:
    here = await wire.world.api.get(f"/webhooks/webhook/{wire.account}")
    body = json.dumps(EVENT).encode()

    wire.account, known = "acc_nobody", wire.account
    nobody = await wire.post(body)
    wire.account = wire.world.account
    other = await wire.post(body)

    assert (here.status_code, here.json()["account_id"]) == (200, known)
    assert [nobody.status_code, other.status_code] == [404, 404]
    assert _stored(wire) == 0


async def test_an_account_that_is_disconnected_takes_nothing(wire: Wired) -> None:
    await wire.world.api.post(f"/v1/accounts/{wire.account}/disconnect")

    answer = await wire.write("echo hello")

    assert (answer.status_code, answer.json()["code"]) == (409, "account_disconnected")
    assert _stored(wire) == 0


async def test_an_event_of_a_kind_that_is_not_known_here_is_taken_and_counted(wire: Wired) -> None:
    answer = await wire.post(json.dumps(EVENT | {"type": "something.new"}).encode())

    assert answer.status_code == 200
    assert answer.json()["accepted"] == 0
    assert _stored(wire) == 0
