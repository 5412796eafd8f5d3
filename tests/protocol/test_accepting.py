"""ACCEPT against everything it can meet: the end of a turn, resting, settling, closing, itself."""

import asyncio

import pytest

from domain.errors import NotFound
from store import messages, sessions
from tests.protocol.stage import Stage, begun


async def test_seqs_are_dense_when_many_write_at_once(stage: Stage) -> None:
    written = await asyncio.gather(*(stage.write(chat=f"c{n % 3}") for n in range(60)))

    for chat in {w.conversation_id for w in written}:
        assert sorted(w.seq for w in written if w.conversation_id == chat) == list(range(1, 21))


async def test_an_undecided_conversation_wakes_its_routing_once_not_once_per_message(stage: Stage) -> None:
    woken = [(await stage.write()).wake for _ in range(5)]

    assert woken == ["routing", None, None, None, None]


async def test_a_settled_conversation_wakes_its_session_once_per_promise(stage: Stage) -> None:
    _, session = await stage.settled()
    assert (await stage.say(session)).next == "rest"
    assert stage.row("sessions", session)["wake_at"] is None

    assert [(await stage.write()).wake for _ in range(4)] == ["session", None, None, None]


async def test_a_message_that_comes_while_a_turn_ends_is_not_slept_over(stage: Stage) -> None:
    """END sets the promise to null and is not committed yet; ACCEPT waits, and finds that it has to wake."""
    _, session = await stage.settled()
    place = await stage.place(session)
    async with stage.other() as ending:
        assert (await ending.say(place))["next"] == "rest"
        accepting = begun(stage.write())
        await stage.waiting(accepting)
        await ending.commit()

    assert (await accepting).wake == "session"
    assert stage.row("sessions", session)["wake_at"] is not None


async def test_a_turn_that_ends_while_a_message_comes_sees_it(stage: Stage) -> None:
    """The other way round: ACCEPT is first, END waits and promises."""
    conversation, session = await stage.settled()
    place = await stage.place(session)
    async with stage.other() as accepting:
        await accepting.accept(stage.inbound())
        ending = begun(stage.say(session, place))
        await stage.waiting(ending)
        await accepting.commit()

    assert (await ending).next == "more"
    assert stage.row("sessions", session)["wake_at"] is not None
    assert stage.states(conversation) == ["answered", "pending"]


@pytest.mark.parametrize("first", ["accept", "rest"])
async def test_resting_and_accepting_at_once_leave_a_promise(stage: Stage, first: str) -> None:
    _, session = await stage.settled()
    await stage.say(session)
    async with stage.other() as other:
        if first == "rest":
            assert (await other.run("sessions/rest", session=session))["next"] == "rest"
            waiting = begun(stage.write())
        else:
            await other.accept(stage.inbound())
            waiting = begun(sessions.rest(stage.db, stage.tenant, session))
        await stage.waiting(waiting)
        await other.commit()
    ended = await waiting

    assert getattr(ended, "next", "more") == "more"
    assert stage.row("sessions", session)["wake_at"] is not None


async def test_a_repetition_in_flight_waits_and_is_the_same_message(stage: Stage) -> None:
    async with stage.other() as first:
        stored = await first.accept(stage.inbound(id_="same"))
        again = begun(stage.write(id_="same"))
        await stage.waiting(again)
        await first.commit()
    repeated = await again

    assert (repeated.message_id, repeated.seq, repeated.duplicate) == (stored["message_id"], 1, True)
    assert repeated.wake is None, "its promise is two seconds away"


async def test_a_repetition_of_one_that_was_undone_is_stored(stage: Stage) -> None:
    async with stage.other() as first:
        await first.accept(stage.inbound(id_="same"))
        again = begun(stage.write(id_="same"))
        await stage.waiting(again)
        await first.connection.rollback()
    stored = await again

    assert (stored.seq, stored.duplicate, stored.wake) == (1, False, "routing")


@pytest.mark.parametrize(("state", "wakes"), [("held", "routing"), ("pending", "session"), ("answered", None)])
async def test_a_repetition_wakes_only_where_the_message_waits_and_nobody_was_promised(stage: Stage, state: str, wakes: str | None) -> None:
    """What an adapter repeats because the process died after the commit is woken by the repetition, not by the next sweep only."""
    first = await stage.write(id_="same")
    if state != "held":
        session = await stage.settle(first.conversation_id, stage.one)
        assert session
        if state == "answered":
            await stage.say(session)
    for table in ("conversations", "sessions"):
        stage.owner.execute(f"update {table} set wake_at = now() - interval '1 s' where tenant_id = %s".encode(), (stage.tenant,))

    again = [await stage.write(id_="same") for _ in range(2)]

    assert [(a.duplicate, a.message_id, a.seq) for a in again] == [(True, first.message_id, 1)] * 2
    assert [a.wake for a in again] == [wakes, None]


async def test_the_same_id_in_another_chat_of_the_account_is_no_second_message(stage: Stage) -> None:
    """Adapters see to it that ids do not collide across chats; where one does not, nothing is woken for it and nothing locked twice."""
    first = await messages.accept(stage.db, stage.inbound("a", id_="x"))
    stage.owner.execute("update messages set external_id = 'collides' where tenant_id = %s", (stage.tenant,))
    again = await messages.accept(stage.db, stage.inbound("b").model_copy(update={"external_id": "collides"}))

    assert (again.duplicate, again.message_id, again.conversation_id, again.wake) == (True, first.message_id, first.conversation_id, None)


async def test_settling_while_a_message_comes_leaves_nothing_held(stage: Stage) -> None:
    first = await stage.write()
    async with stage.other() as accepting:
        await accepting.accept(stage.inbound())
        settling = begun(stage.settle(first.conversation_id, stage.one))
        await stage.waiting(settling)
        await accepting.commit()
    assert await settling

    assert stage.states(first.conversation_id) == ["pending", "pending"]


async def test_a_message_that_comes_while_settling_is_pending(stage: Stage) -> None:
    first = await stage.write()
    async with stage.other() as settling:
        session = (await settling.settle(first.conversation_id, stage.one))["session"]
        accepting = begun(stage.write())
        await stage.waiting(accepting)
        await settling.commit()

    assert (await accepting).session_id == session
    assert stage.states(first.conversation_id) == ["pending", "pending"]
    assert stage.row("sessions", session)["wake_at"] is not None


async def test_a_message_that_comes_while_its_session_closes_is_held_for_another(stage: Stage) -> None:
    conversation, session = await stage.settled()
    async with stage.other() as closing:
        await closing.run("sessions/close", session=session, reason="member")
        accepting = begun(stage.write())
        await stage.waiting(accepting)
        await closing.commit()

    assert (await accepting).wake == "routing"
    assert stage.states(conversation) == ["cancelled", "held"]
    assert stage.row("conversations", conversation)["state"] == "undecided"


async def test_a_session_that_closes_while_a_message_comes_takes_it_along(stage: Stage) -> None:
    """Closed by a member: cancelled with the rest. Expired: held for another session, and the routing promised."""
    for reason, state in (("member", "cancelled"), ("expired", "held")):
        conversation, session = await stage.settled(reason)
        async with stage.other() as accepting:
            await accepting.accept(stage.inbound(reason))
            closing = begun(sessions.close(stage.db, stage.tenant, session, reason))
            await stage.waiting(closing)
            await accepting.commit()
        await closing

        assert stage.states(conversation) == [state, state]
        row = stage.row("conversations", conversation)
        assert (row["state"], row["wake_at"] is not None) == (("settled", False) if state == "cancelled" else ("undecided", True))


async def test_a_message_for_an_account_that_is_removed_meanwhile_is_refused(stage: Stage) -> None:
    await stage.write()
    async with stage.other() as removing:
        await removing.run("accounts/remove", account=stage.account)
        known, new = begun(stage.write()), begun(stage.write(chat="new"))
        await stage.waiting(known)
        await removing.commit()

    for refused in (known, new):
        with pytest.raises(NotFound):
            await refused
    assert stage.rows("select id from messages where tenant_id = %s") == []


async def test_removing_an_account_with_a_turn_open_leaves_the_session_able_to_rest(stage: Stage) -> None:
    conversation, session = await stage.settled()
    await stage.call(session)
    place = await stage.place(session)
    async with stage.db.transaction(stage.tenant) as tx:
        await tx.run("accounts/remove", account=stage.account)

    assert (await stage.say(session, place)).status == "refused"
    row = stage.row("sessions", session)
    assert (row["step"], row["turn_conversation_id"]) == (0, None)
    assert stage.rows("select id from conversations where tenant_id = %s and id = %s", conversation) == []
