"""The end of a step against late attempts, members who stop, pause and close, and other ends."""

import asyncio

import pytest

from store import messages, sessions
from tests.protocol.stage import Stage, begun


async def test_of_two_attempts_at_one_step_one_ends_it(stage: Stage) -> None:
    conversation, session = await stage.settled()
    place = await stage.place(session)

    ended = await asyncio.gather(*(stage.say(session, place) for _ in range(5)))

    assert sorted(e.status for e in ended) == ["committed"] + ["refused"] * 4
    assert stage.states(conversation) == ["answered"]
    assert stage.states(conversation, "outbound") == ["sent"]


async def test_an_attempt_from_an_earlier_turn_changes_nothing(stage: Stage) -> None:
    """It comes back long after its worker was given up; another turn is open by then."""
    conversation, session = await stage.settled()
    old = await stage.place(session)
    await stage.say(session, old)
    await stage.write()
    await stage.call(session)
    before = stage.row("sessions", session)

    assert (await stage.say(session, old)).status == "refused"

    assert stage.row("sessions", session) == before
    assert stage.states(conversation) == ["answered", "pending"]


async def test_what_came_after_the_look_is_the_next_turns(stage: Stage) -> None:
    conversation, session = await stage.settled()
    place = await stage.place(session)
    await stage.write()

    assert (await stage.say(session, place)).next == "more"
    assert stage.states(conversation) == ["answered", "pending"]
    assert (await stage.say(session)).next == "rest"
    assert stage.states(conversation) == ["answered", "answered"]


async def test_what_comes_between_two_steps_waits_for_the_next_turn(stage: Stage) -> None:
    conversation, session = await stage.settled()
    call = await stage.call(session)
    await stage.write()
    await stage.start(call)
    await stage.finish(call)

    assert [line.seq for line in (await stage.look(session)).batch] == [1]
    assert (await stage.say(session)).next == "more"
    assert stage.states(conversation) == ["answered", "pending"]


@pytest.mark.parametrize("first", ["cancel", "end"])
async def test_cancelling_while_a_turn_ends_has_one_winner(stage: Stage, first: str) -> None:
    conversation, session = await stage.settled()
    place = await stage.place(session)
    async with stage.other() as other:
        if first == "cancel":
            await other.run("sessions/stop_turn", session=session, state="cancelled", error=None)
            waiting = begun(stage.say(session, place))
        else:
            await other.say(place)
            waiting = begun(sessions.cancel_turn(stage.db, stage.tenant, session))
        await stage.waiting(waiting)
        await other.commit()
    outcome = await waiting

    if first == "cancel":
        assert getattr(outcome, "status", None) == "refused"
        assert (stage.states(conversation), stage.states(conversation, "outbound")) == (["cancelled"], [])
    else:
        assert outcome == "idle"
        assert (stage.states(conversation), stage.states(conversation, "outbound")) == (["answered"], ["sent"])
    assert stage.row("sessions", session)["wake_at"] is None


async def test_a_cancelled_open_turn_ends_what_it_began_and_the_next_message_goes_on(stage: Stage) -> None:
    conversation, session = await stage.settled()
    call = await stage.call(session, "ask")
    approval = await stage.ask(call)
    assert approval
    await stage.write()

    assert await sessions.cancel_turn(stage.db, stage.tenant, session) == "cancelled"

    assert stage.states(conversation) == ["cancelled", "pending"]
    assert stage.row("calls", call)["state"] == "cancelled"
    assert (stage.row("approvals", approval)["state"], stage.row("approvals", approval)["verdict"]) == ("cancelled", "cancelled")
    assert (await stage.decide(approval)).status == "already_decided"
    assert (await stage.say(session)).status == "committed"


@pytest.mark.parametrize("verb", ["suspend", "close"])
async def test_a_turn_does_not_end_in_a_session_that_was_stopped_meanwhile(stage: Stage, verb: str) -> None:
    conversation, session = await stage.settled()
    place = await stage.place(session)
    async with stage.other() as member:
        await member.run(f"sessions/{verb}", session=session, reason="member")
        ending = begun(stage.say(session, place))
        await stage.waiting(ending)
        await member.commit()

    assert (await ending).status == "refused"
    assert stage.states(conversation) == ["pending" if verb == "suspend" else "cancelled"]
    assert stage.row("sessions", session)["wake_at"] is None


async def test_resuming_promises_a_look_at_what_came_meanwhile(stage: Stage) -> None:
    conversation, session = await stage.settled()
    await sessions.suspend(stage.db, stage.tenant, session)
    assert (await stage.write()).wake is None
    assert stage.row("sessions", session)["wake_at"] is None

    assert await sessions.resume(stage.db, stage.tenant, session, {"by": "member"}) == "open"

    assert stage.row("sessions", session)["wake_at"] is not None
    await stage.say(session)
    assert stage.states(conversation) == ["answered", "answered"]


async def test_a_paused_session_still_owes_what_it_said(stage: Stage) -> None:
    """Said before the pause, not sent yet: the promise stays until it is."""
    conversation, session = await stage.settled()
    await stage.say(session, sent=False)
    await sessions.suspend(stage.db, stage.tenant, session)
    assert stage.row("sessions", session)["wake_at"] is not None
    assert (await sessions.rest(stage.db, stage.tenant, session)).status == "committed"
    assert stage.row("sessions", session)["wake_at"] is not None

    sending = await messages.begin_send(stage.db, stage.tenant, conversation)
    await messages.end_send(stage.db, stage.tenant, str(sending.message_id), sending.attempt or 0, "sent", receipt="r")
    await sessions.rest(stage.db, stage.tenant, session)

    assert stage.row("sessions", session)["wake_at"] is None


@pytest.mark.parametrize("reason", ["member", "completed"])
async def test_what_a_closed_session_said_is_still_sent(stage: Stage, reason: str) -> None:
    """By the conversation's routing: the session is nobody's any more."""
    conversation, session = await stage.settled()
    if reason == "completed":
        await stage.say(session, close=True, sent=False)
    else:
        await stage.say(session, sent=False)
        await sessions.close(stage.db, stage.tenant, session, reason)

    assert stage.row("sessions", session)["life"] == "closed"
    assert stage.states(conversation, "outbound") == ["intent"]
    assert stage.row("conversations", conversation)["wake_at"] is not None


async def test_a_one_shot_that_closes_and_a_message_in_its_other_conversation_do_not_lock_each_other_out(stage: Stage) -> None:
    """END closes the session of several conversations: it locks all of them first, as everyone does."""
    here, session = await stage.settled("here", scope="shared")
    there, same = await stage.settled("there", scope="shared")
    assert same == session
    place = await stage.place(session)
    assert place.conversation == here
    async with stage.other() as accepting:
        await accepting.lock("conversations", there)
        ending = begun(stage.say(session, place, close=True))
        await stage.waiting(ending)
        await accepting.accept(stage.inbound("there"))
        await accepting.commit()

    assert (await ending).status == "committed"
    assert stage.states(there) == ["held", "held"]
    assert stage.row("conversations", there)["state"] == "undecided"


async def test_a_conversation_that_comes_while_its_session_closes_is_locked_too(stage: Stage) -> None:
    """SETTLE holds the session, CLOSE waits for it; then a message comes to the conversation that CLOSE did not see at first."""
    _, session = await stage.settled("a", scope="shared")
    late = (await stage.write("late")).conversation_id
    async with stage.other() as settling, stage.other() as accepting:
        assert (await settling.settle(late, stage.one, "shared"))["session"] == session
        closing = begun(sessions.close(stage.db, stage.tenant, session, "expired"))
        await stage.waiting(closing)
        locking = begun(accepting.lock("conversations", late))
        await stage.waiting(locking, others=1)
        await settling.commit()
        await locking
        await asyncio.sleep(0.05)
        await accepting.accept(stage.inbound("late"))
        await accepting.commit()
    await closing

    assert set(stage.states(late)) == {"held"}
    row = stage.row("conversations", late)
    assert (row["state"], row["wake_at"] is not None) == ("undecided", True)


async def test_closing_twice_at_once_is_closing_once(stage: Stage) -> None:
    _, session = await stage.settled()

    assert await asyncio.gather(*(sessions.close(stage.db, stage.tenant, session, "member") for _ in range(4))) == ["closed"] * 4
    assert stage.row("sessions", session)["version"] == 2


async def test_a_later_message_is_promised_at_its_time(stage: Stage) -> None:
    """A follow-up next week: the session's promise is its earliest, and a nearer one is not pushed back by it."""
    conversation, session = await stage.settled()
    for days, note in ((7, "later"), (2, "sooner")):
        async with stage.other() as tool:
            query = (
                "select * from follow_up(%s, %s, %s, %s, %s, now() + make_interval(days => %s))",
                (stage.tenant, conversation, f"msg_{note}{session}", f"timer:{note}{session}", note, days),
            )
            await tool.connection.execute(*query)
            await tool.commit()
    place = await stage.place(session)

    assert (await stage.say(session, place)).next == "wait"

    due = stage.rows("select min(due_at) as due from messages where tenant_id = %s and kind = 'timer'")[0]["due"]
    assert stage.row("sessions", session)["wake_at"] == due
    assert stage.states(conversation) == ["answered", "pending", "pending"]


async def test_a_follow_up_in_a_tools_transaction_and_a_message_get_their_seqs_in_the_order_of_commits(stage: Stage) -> None:
    conversation, session = await stage.settled()
    call = await stage.call(session, tool="follow_up")
    async with stage.other() as tool:
        await tool.run("calls/lock_conversation", conversation=conversation)
        await tool.run("calls/start", call=call, by="t", sha256=stage.row("calls", call)["arguments_sha256"])
        accepting = begun(stage.write())
        await stage.waiting(accepting)
        query = "select seq from follow_up(%s, %s, %s, %s, 'note', now() + interval '1 h')"
        follow = await (await tool.connection.execute(query, (stage.tenant, conversation, f"msg_{call}", f"timer:{call}"))).fetchone()
        await tool.run("calls/finish", call=call, result="null", failed=False, message="unused")
        await tool.commit()

    assert follow == {"seq": 2}
    assert (await accepting).seq == 3
    assert stage.row("calls", call)["state"] == "done"
