"""The webhook adapter alone: what a call holds, what goes on the wire, and what an answer means."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook as Signature

from channels import AccountSeen, Outgoing
from channels.webhook import Webhook
from domain.errors import BadSignature, Invalid, SendFailed, SendRefused, SendUncertain, SwitchboardError
from tests.journeys.receiver import SECRET, Answer, Receiver, receiving

EVENT = {"type": "message", "id": "e1", "chat": "room", "thread": "t", "sender": "ada", "sender_name": "Ada", "text": "hello"}
OUT = Outgoing(message_id="msg_1", chat="room", thread="t", text="hello")


def _account(url: str = "http://127.0.0.1:9/none", **settings: Any) -> AccountSeen:
    return AccountSeen(tenant_id="ten_1", id="acc_1", settings={"deliver_url": url, "timeout": 0.3} | settings, secrets={"secret": SECRET})


def _signed(body: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"webhook-id": "e", "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": Signature(SECRET).sign("e", now, body)}


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """The other end of the wire."""
    async with receiving() as made:
        yield made


def test_a_call_holds_one_message_whose_key_is_its_chats_own() -> None:
    body = json.dumps(EVENT)
    (inbound,) = Webhook().receive(_account(), _signed(body), body.encode())

    assert (inbound.chat, inbound.thread, inbound.sender, inbound.sender_name, inbound.text) == ("room", "t", "ada", "Ada", "hello")
    assert json.loads(inbound.external_id) == ["message", "room", "e1"]


def test_headers_in_capitals_are_the_same_headers() -> None:
    body = json.dumps(EVENT)
    signed = {name.title(): value for name, value in _signed(body).items()}

    assert len(Webhook().receive(_account(), signed, body.encode())) == 1


def test_a_body_that_was_changed_is_not_what_was_signed() -> None:
    with pytest.raises(BadSignature):
        Webhook().receive(_account(), _signed(json.dumps(EVENT)), json.dumps(EVENT | {"text": "bye"}).encode())


def test_a_field_that_does_not_fit_is_named() -> None:
    body = json.dumps(EVENT | {"chat": ["room"]})
    with pytest.raises(Invalid) as refused:
        Webhook().receive(_account(), _signed(body), body.encode())

    assert refused.value.extra["field"] == "chat"


async def test_a_delivery_is_signed_and_names_the_message(receiver: Receiver) -> None:
    receiver.answers.append(Answer(headers={"x-receipt-id": "theirs"}))

    assert (await Webhook().send(_account(receiver.url), OUT)).id == "theirs"
    assert (await Webhook().send(_account(receiver.url), OUT)).id == "msg_1"
    assert receiver.calls[0] == {"type": "message", "message_id": "msg_1", "chat": "room", "thread": "t", "text": "hello"}


@pytest.mark.parametrize(
    ("status", "headers", "error", "after"),
    [
        (503, {"retry-after": "7"}, SendFailed, 7.0),
        (503, {}, SendFailed, None),
        (429, {"retry-after": "0"}, SendFailed, 0.0),
        (503, {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, SendFailed, 0.0),
        (503, {"retry-after": "soon"}, SendFailed, None),
        (500, {}, SendUncertain, None),
        (502, {}, SendUncertain, None),
        (400, {}, SendRefused, None),
        (404, {}, SendRefused, None),
        (301, {"location": "http://elsewhere"}, SendRefused, None),
    ],
)
async def test_what_an_answer_means(
    receiver: Receiver, status: int, headers: dict[str, str], error: type[SwitchboardError], after: float | None
) -> None:
    receiver.answers.append(Answer(status, headers))

    with pytest.raises(error) as raised:
        await Webhook().send(_account(receiver.url), OUT)

    assert raised.value.retry_after == after


async def test_no_answer_is_uncertain_and_no_connection_is_not_taken(receiver: Receiver) -> None:
    never_in_time = asyncio.Event()
    receiver.answers.append(Answer(when=never_in_time))
    with pytest.raises(SendUncertain):
        await Webhook().send(_account(receiver.url), OUT)
    never_in_time.set()

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(SendFailed):
            await Webhook().send(_account(f"http://127.0.0.1:{taken.getsockname()[1]}/"), OUT)


def test_who_recognises_repeats_is_what_the_account_says() -> None:
    assert Webhook().recognises_repeats(_account()) is True
    assert Webhook().recognises_repeats(_account(repeats_are_recognised=False)) is False
