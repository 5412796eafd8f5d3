"""DELIVER: lowest unsent first, one attempt at a time has the say, and a receipt is believed whenever it comes."""

import asyncio

from domain.errors import Conflict
from store import messages
from tests.protocol.stage import Stage


async def said(stage: Stage, count: int = 1) -> tuple[str, list[str]]:
    """A conversation with unsent words."""
    conversation, session = await stage.settled()
    for _ in range(count - 1):
        await stage.say(session, sent=False)
        await stage.write()
    await stage.say(session, sent=False)
    query = "select id from messages where tenant_id = %s and conversation_id = %s and direction = 'outbound' order by seq"
    return conversation, [row["id"] for row in stage.rows(query, conversation)]


async def test_the_lowest_unsent_is_first_and_the_next_waits_for_its_end(stage: Stage) -> None:
    conversation, ids = await said(stage, 3)
    taken: list[str | None] = []
    for _ in range(3):
        sending = await messages.begin_send(stage.db, stage.tenant, conversation)
        again = await messages.begin_send(stage.db, stage.tenant, conversation)
        assert (sending.status, again.status, again.message_id) == ("first", "again", sending.message_id)
        assert await messages.end_send(stage.db, stage.tenant, str(again.message_id), again.attempt or 0, "sent", receipt="r")
        taken.append(sending.message_id)

    assert taken == ids
    assert (await messages.begin_send(stage.db, stage.tenant, conversation)).status == "none"


async def test_an_attempt_that_was_overtaken_has_no_say(stage: Stage) -> None:
    conversation, (message,) = await said(stage)
    first = await messages.begin_send(stage.db, stage.tenant, conversation)
    second = await messages.begin_send(stage.db, stage.tenant, conversation)

    assert not await messages.end_send(stage.db, stage.tenant, message, first.attempt or 0, "failed", error="late")
    assert stage.row("messages", message)["state"] == "sending"
    assert await messages.end_send(stage.db, stage.tenant, message, second.attempt or 0, "sent", receipt="r2")


async def test_a_receipt_settles_what_was_given_up_as_unknown(stage: Stage) -> None:
    """The overtaker could not know whether it arrived; the overtaken attempt comes back with the receipt: it did."""
    conversation, (message,) = await said(stage)
    first = await messages.begin_send(stage.db, stage.tenant, conversation)
    second = await messages.begin_send(stage.db, stage.tenant, conversation)
    await messages.end_send(stage.db, stage.tenant, message, second.attempt or 0, "unknown", error="cannot say")

    assert not await messages.end_send(stage.db, stage.tenant, message, first.attempt or 0, "intent", error="not taken")
    assert await messages.end_send(stage.db, stage.tenant, message, first.attempt or 0, "sent", receipt="r1")

    row = stage.row("messages", message)
    assert (row["state"], row["receipt"], row["error"]) == ("sent", "r1", None)


async def test_many_that_deliver_at_once_take_each_message_once_for_the_first_time(stage: Stage) -> None:
    conversation, _ = await said(stage)

    taken = await asyncio.gather(*(messages.begin_send(stage.db, stage.tenant, conversation) for _ in range(5)))

    assert sorted(t.status for t in taken) == ["again"] * 4 + ["first"]
    assert sorted(t.attempt or 0 for t in taken) == [1, 2, 3, 4, 5]


async def test_members_who_resend_at_once_make_one_labelled_copy(stage: Stage) -> None:
    conversation, (message,) = await said(stage)
    sending = await messages.begin_send(stage.db, stage.tenant, conversation)
    await messages.end_send(stage.db, stage.tenant, message, sending.attempt or 0, "unknown", error="cannot say")

    decided = await asyncio.gather(
        *(messages.decide_send(stage.db, stage.tenant, message, "resend", "boss") for _ in range(4)), return_exceptions=True
    )

    assert len([outcome for outcome in decided if isinstance(outcome, Conflict)]) == 3
    copies = stage.rows("select state, resend_of, seq from messages where tenant_id = %s and resend_of is not null")
    assert copies == [{"state": "intent", "resend_of": message, "seq": 3}]
    assert stage.row("conversations", conversation)["last_seq"] == 3
