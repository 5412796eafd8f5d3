"""Answers go out over a real wire, in order, and what is not certain is said to be so."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from domain.ids import session_workflow
from store import messages
from tests.journeys import deeds
from tests.journeys.receiver import Answer, Receiver, receiving
from tests.journeys.wire import Wired, wired
from tests.world import World

IMPATIENT = 3
"""Seconds until a receiver that does not answer is given up on: enough for one that does, on a machine that is busy."""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """The other end of the wire."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def wire(live: World, receiver: Receiver) -> Wired:
    """An account whose receiver recognises repeated ids."""
    return await wired(live, receiver)


@pytest.fixture
async def forgetful(live: World, receiver: Receiver) -> Wired:
    """An account whose receiver takes whatever it is sent."""
    return await wired(live, receiver, repeats_are_recognised=False)


@pytest.fixture
def never() -> Iterator[asyncio.Event]:
    """What a receiver waits for that does not answer; it is let go when the test is over."""
    event = asyncio.Event()
    yield event
    event.set()


async def _all_sent(wire: Wired, count: int) -> None:
    query = "select 1 from messages where tenant_id = %s and account_id = %s and state = 'sent' having count(*) = %s"
    await wire.world.until(query, wire.account, count)


async def test_answers_arrive_signed_and_in_order(wire: Wired) -> None:
    for n in range(12):
        assert (await wire.write(f"echo {n}")).json()["accepted"] == 1

    await _all_sent(wire, 12)

    assert wire.receiver.taken == [str(n) for n in range(12)]
    assert {call["chat"] for call in wire.receiver.calls} == {"caller"}
    assert [call["message_id"] for call in wire.receiver.calls] == [
        row["id"] for row in wire.world.rows("select id from messages where tenant_id = %s and direction = 'outbound' order by seq")
    ]


async def test_retry_after_is_obeyed_and_what_is_behind_waits_its_turn(wire: Wired) -> None:
    wire.receiver.answers.append(Answer(503, {"retry-after": "1"}, words="first"))
    began = time.monotonic()
    await wire.write("echo first")
    await wire.write("echo second")

    await _all_sent(wire, 2)

    assert time.monotonic() - began >= 1
    assert [call["text"] for call in wire.receiver.calls] == ["first", "first", "second"]
    assert len({call["message_id"] for call in wire.receiver.calls}) == 2


async def test_what_is_refused_for_good_has_failed_and_the_next_goes_on(wire: Wired) -> None:
    wire.receiver.answers.append(Answer(410, words="refused"))
    await wire.write("echo refused")
    await wire.write("echo next")

    await wire.outbound("next", "sent")

    assert wire.states() == [("refused", "failed"), ("next", "sent")]
    assert (await wire.outbound("refused", "failed"))["error"] == "The receiver answered 410."


async def test_a_message_is_parked_after_four_tries_and_the_next_goes_on(wire: Wired) -> None:
    wire.receiver.answers.append(Answer(503, {"retry-after": "0"}, words="unlucky", times=9))
    await wire.write("echo unlucky")
    await wire.write("echo next")

    await wire.outbound("next", "sent")

    assert wire.states() == [("unlucky", "parked"), ("next", "sent")]
    assert [call["text"] for call in wire.receiver.calls].count("unlucky") == 4


async def test_where_repeats_are_recognised_a_timeout_is_sent_again_under_the_same_id(
    live: World, receiver: Receiver, never: asyncio.Event
) -> None:  # fmt: skip
    wire = await wired(live, receiver, timeout=IMPATIENT)
    receiver.answers.append(Answer(when=never, words="slow"))
    await wire.write("echo slow")

    await wire.outbound("slow", "sent")

    assert len(wire.receiver.calls) == 2
    assert len({call["message_id"] for call in wire.receiver.calls}) == 1


async def test_where_they_are_not_a_timeout_is_unknown_and_the_next_goes_on(live: World, receiver: Receiver, never: asyncio.Event) -> None:
    forgetful = await wired(live, receiver, timeout=IMPATIENT, repeats_are_recognised=False)
    receiver.answers.append(Answer(when=never, words="slow"))
    await forgetful.write("echo slow")
    await forgetful.write("echo next")

    await forgetful.outbound("next", "sent")

    assert forgetful.states() == [("slow", "unknown"), ("next", "sent")]
    assert [call["text"] for call in forgetful.receiver.calls] == ["slow", "next"]


async def test_a_member_decides_about_what_is_unknown(forgetful: Wired) -> None:
    for words in ("one", "two", "three"):
        forgetful.receiver.answers.append(Answer(500, words=words))
        await forgetful.write(f"echo {words}")
    unknown = [(await forgetful.outbound(words, "unknown"))["id"] for words in ("one", "two", "three")]

    api = forgetful.world.api
    done = [await api.post(f"/v1/messages/{id_}/{verb}") for id_, verb in zip(unknown, ("resend", "mark-sent", "drop"), strict=True)]
    twice = await api.post(f"/v1/messages/{unknown[0]}/resend")

    assert [answer.status_code for answer in (*done, twice)] == [200, 200, 200, 409]
    copy = await forgetful.world.until("select * from messages where tenant_id = %s and resend_of = %s and state = 'sent'", unknown[0])
    assert copy["text"] == "one"
    assert forgetful.receiver.taken == ["(This may be a repetition: it was not certain whether it arrived.)\none"]
    assert forgetful.states() == [("one", "unknown"), ("two", "sent"), ("three", "failed"), ("one", "sent")]


async def test_long_answers_arrive_in_pieces_that_never_split_a_code_fence(wire: Wired) -> None:
    code = "```py\n" + "x = 1\n" * 500 + "```"
    text = "word " * 500 + "\n\n" + code + "\n\n" + "end " * 300
    await wire.write(f"echo {text}", id_="long")

    await wire.world.until("select 1 from messages where tenant_id = %s and direction = 'inbound' and state = 'answered'")
    await _all_sent(wire, len(wire.states()))

    pieces = wire.receiver.taken
    assert len(pieces) >= 2
    assert all(len(piece) <= 4000 and piece.count("```") % 2 == 0 for piece in pieces)
    assert " ".join(" ".join(pieces).split()) == " ".join(text.split())


@pytest.mark.parametrize(("recognised", "state", "calls"), [(True, "sent", 1), (False, "unknown", 0)])
async def test_an_attempt_that_broke_off_is_repeated_only_where_that_is_harmless(
    live: World, receiver: Receiver, recognised: bool, state: str, calls: int
) -> None:
    wire = await wired(live, receiver, repeats_are_recognised=recognised)
    await wire.write("echo hello")
    await _all_sent(wire, 1)
    conversation = (await wire.outbound("hello", "sent"))["conversation_id"]
    await deeds.rests(live, await deeds.session_of(live, "caller"))
    receiver.calls.clear()
    spoken = await messages.append_outbound(live.parts.db, live.tenant, conversation, "cut off", live.member.id, commit_delivers=False)
    begun = await messages.begin_send(live.parts.db, live.tenant, conversation)
    assert begun.message_id == spoken.message_id

    live.parts.inbox.wake(live.tenant, spoken.wake, spoken.wake_id)

    await wire.outbound("cut off", state)
    assert len(receiver.calls) == calls
    late = await messages.end_send(live.parts.db, live.tenant, begun.message_id or "", begun.attempt or 0, "failed", error="a zombie's word")
    assert late is False
    assert (await wire.outbound("cut off", state))["error"] != "a zombie's word"


async def test_what_a_closed_session_has_said_is_still_delivered(wire: Wired) -> None:
    deeds.use(wire.world, mode="one-shot")
    await wire.write("echo once")
    await wire.outbound("once", "sent")
    await wire.world.until("select 1 from sessions where tenant_id = %s and life = 'closed' and phase_reason = 'completed'")

    closed = asyncio.Event()
    wire.receiver.answers.append(Answer(503, {"retry-after": "1"}, when=closed, words="last word"))
    deeds.use(wire.world, mode="copilot")
    await wire.write("echo last word")
    await wire.outbound("last word", "sending")
    await deeds.close(wire.world, await deeds.session_of(wire.world, "caller"))
    closed.set()

    await wire.outbound("last word", "sent")
    assert wire.receiver.taken == ["once", "last word"]


async def test_of_two_deliverers_the_one_that_was_overtaken_leaves_the_message_to_the_other(wire: Wired) -> None:
    """The session's is held at the wire; the session is closed, and what it said is the routing's to deliver, which is held there too."""
    held = [asyncio.Event(), asyncio.Event()]
    wire.receiver.answers += [Answer(when=event, words="contested") for event in held]
    await wire.write("echo contested")
    await wire.outbound("contested", "sending")
    session = await deeds.session_of(wire.world, "caller")
    await deeds.close(wire.world, session)
    await wire.world.until("select 1 from messages where tenant_id = %s and text = 'contested' and attempt = 2 and state = 'sending'")
    await wire.receiver.was_called(2)

    held[0].set()
    await deeds.fails_once(wire.world, session_workflow(wire.world.tenant, session))
    held[1].set()

    await wire.outbound("contested", "sent")
    assert [call["text"] for call in wire.receiver.calls] == ["contested"] * 2


async def test_an_account_whose_receiver_is_away_delays_no_other(wire: Wired) -> None:
    wire.receiver.answers.append(Answer(503, {"retry-after": "3600"}, words="stuck"))
    await wire.write("echo stuck", chat="unlucky")
    refused = "select * from messages where tenant_id = %s and text = 'stuck' and state = 'intent' and attempt = 1"
    await wire.world.until(refused)

    await asyncio.gather(*(wire.write(f"echo {n}", chat=f"chat {n}") for n in range(5)))

    await _all_sent(wire, 5)
    assert [call["text"] for call in wire.receiver.calls].count("stuck") == 1
    assert wire.world.rows(refused)
