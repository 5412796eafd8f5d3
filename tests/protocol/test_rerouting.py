"""SETTLE and a change of route: what waits, what moves, and looks that were promised while one was under way."""

import asyncio

import pytest

from store import messages, routing, sessions
from tests.protocol.stage import Stage, begun


async def rerouted(stage: Stage, conversation: str, agent: str) -> str | None:
    return await stage.settle(conversation, agent)


async def test_a_change_of_route_waits_for_the_turns_end_and_takes_what_is_left(stage: Stage) -> None:
    conversation, old = await stage.settled()
    await stage.call(old)
    assert await rerouted(stage, conversation, stage.two) is None
    await stage.write()

    ended = await stage.say(old)

    new = stage.row("conversations", conversation)["session_id"]
    assert (ended.wake_session, new != old) == (new, True)
    assert stage.row("sessions", new)["wake_at"] is not None
    assert stage.row("sessions", old)["wake_at"] is None
    await stage.say(new)
    assert stage.states(conversation) == ["answered", "answered"]


async def test_a_change_of_route_with_nothing_pending_is_made_at_once_and_unsent_words_go_along(stage: Stage) -> None:
    """Also those that a broken attempt left in `sending`."""
    conversation, old = await stage.settled()
    await stage.say(old, sent=False)
    await messages.begin_send(stage.db, stage.tenant, conversation)

    new = await rerouted(stage, conversation, stage.two)

    assert new
    assert new != old
    assert stage.row("sessions", new)["wake_at"] is not None
    assert (await stage.look(new)).unsent_conversation_id == conversation


async def test_unsent_words_that_come_to_a_paused_session_are_promised(stage: Stage) -> None:
    _, paused = await stage.settled("paused", stage.two, "shared")
    await sessions.suspend(stage.db, stage.tenant, paused)
    conversation, old = await stage.settled()
    await stage.say(old, sent=False)

    assert await stage.settle(conversation, stage.two, "shared") == paused

    assert stage.row("sessions", paused)["wake_at"] is not None


async def test_a_turn_cannot_end_in_a_conversation_that_went_elsewhere(stage: Stage) -> None:
    """It was thought about; before its end the batch was cancelled and the conversation given away."""
    conversation, old = await stage.settled()
    place = await stage.place(old)
    await sessions.cancel_turn(stage.db, stage.tenant, old)
    await rerouted(stage, conversation, stage.two)
    new = stage.row("conversations", conversation)["session_id"]
    assert new != old
    await stage.write()

    assert (await stage.say(old, place)).status == "refused"
    assert (await stage.say(new)).status == "committed"


async def test_a_cancelled_turn_is_an_end_too(stage: Stage) -> None:
    conversation, old = await stage.settled()
    await stage.call(old)
    await rerouted(stage, conversation, stage.two)
    await stage.write()

    await sessions.cancel_turn(stage.db, stage.tenant, old)

    new = stage.row("conversations", conversation)["session_id"]
    assert new != old
    assert stage.row("sessions", new)["wake_at"] is not None
    assert stage.states(conversation) == ["cancelled", "pending"]


async def test_a_route_to_a_session_that_was_closed_meanwhile_is_decided_anew(stage: Stage) -> None:
    conversation, old = await stage.settled()
    await stage.call(old)
    await rerouted(stage, conversation, stage.two)
    waiting = stage.row("conversations", conversation)["next_session_id"]
    await stage.write()
    await sessions.close(stage.db, stage.tenant, waiting, "member")

    assert (await stage.say(old)).wake_session is None

    row = stage.row("conversations", conversation)
    assert (row["state"], row["session_id"], row["next_session_id"], row["wake_at"] is not None) == ("undecided", None, None, True)
    assert stage.states(conversation) == ["answered", "held"]
    third = await rerouted(stage, conversation, stage.two)
    assert third
    assert third not in (old, waiting)
    await stage.say(third)
    assert stage.states(conversation) == ["answered", "answered"]


async def test_closing_the_session_that_has_a_verdict_now_ends_the_call_of_the_one_that_asked(stage: Stage) -> None:
    conversation, asked_by, call, approval = await stage.asked()
    await stage.settle(conversation, stage.two)
    now_at = stage.row("conversations", conversation)["session_id"]
    assert now_at != asked_by
    await stage.decide(approval)

    await sessions.close(stage.db, stage.tenant, now_at, "member")

    assert stage.states(conversation) == ["answered", "cancelled"]
    assert stage.row("calls", call)["state"] == "cancelled"
    assert await stage.start(call) == "cancelled"


async def test_two_conversations_that_change_places_do_not_lock_each_other_out(stage: Stage) -> None:
    """Each END holds one session and hands its conversation to the other's."""
    mine, one = await stage.settled("mine", stage.one, "s")
    theirs, two = await stage.settled("theirs", stage.two, "s")
    for conversation, agent in ((mine, stage.two), (theirs, stage.one)):
        await stage.settle(conversation, agent, "s")
    assert stage.row("conversations", mine)["next_session_id"] == two
    places = {one: await stage.place(one), two: await stage.place(two)}
    first, second = sorted((one, two))
    async with stage.other() as holding:
        await holding.lock("messages", pending_in(stage, places[second].conversation))
        ending = begun(stage.say(second, places[second]))
        await stage.waiting(ending)
        also = begun(stage.say(first, places[first]))
        await stage.waiting(also, others=1)
        await holding.commit()

    assert [(await ending).status, (await also).status] == ["committed", "committed"]
    assert stage.row("conversations", mine)["session_id"] == two
    assert stage.row("conversations", theirs)["session_id"] == one


def pending_in(stage: Stage, conversation: str) -> str:
    """The message that an END will touch when it has all its locks."""
    query = "select id from messages where tenant_id = %s and conversation_id = %s and state = 'pending'"
    return str(stage.rows(query, conversation)[0]["id"])


async def test_a_session_that_closes_while_settling_is_not_settled_upon(stage: Stage) -> None:
    """The one that was found is closed by the time its lock is there: another is made."""
    _, old = await stage.settled("a", scope="shared")
    late = (await stage.write("late")).conversation_id
    async with stage.other() as closing:
        await closing.run("sessions/close", session=old, reason="member")
        settling = begun(stage.settle(late, stage.one, "shared"))
        await stage.waiting(settling)
        await closing.commit()
    new = await settling

    assert new
    assert new != old
    assert stage.states(late) == ["pending"]


async def test_settling_many_at_once_makes_one_session_of_a_scope(stage: Stage) -> None:
    written = [await stage.write(chat=f"c{n}") for n in range(8)]

    made = await asyncio.gather(*(stage.settle(w.conversation_id, stage.one, "shared") for w in written))

    assert len(set(made)) == 1
    assert len(stage.rows("select id from sessions where tenant_id = %s")) == 1


async def test_settling_for_an_agent_that_is_gone_settles_nothing(stage: Stage) -> None:
    written = await stage.write()

    assert await stage.settle(written.conversation_id, "agt_gone") is None
    assert stage.states(written.conversation_id) == ["held"]


@pytest.mark.parametrize("verb", ["settle", "leave"])
async def test_another_look_that_was_promised_while_this_one_was_under_way_is_kept(stage: Stage, verb: str) -> None:
    """The route was looked up, then a binding changed: what is written down of the look does not undo the promise of another."""
    written = await stage.write()
    async with stage.db.transaction(stage.tenant) as tx:
        look = await routing.look(tx, written.conversation_id)
    assert look
    async with stage.db.transaction(stage.tenant) as tx:
        await routing.promise_unsettled(tx, None)

    if verb == "settle":
        assert await routing.settle(stage.db, stage.tenant, look.id, stage.one, promised_at=look.wake_at)
    else:
        assert not await routing.leave_undecided(stage.db, stage.tenant, look.id, "held", look.last_seq, look.wake_at)

    assert stage.row("conversations", look.id)["wake_at"] is not None


async def test_what_is_left_undecided_sleeps_until_something_changes(stage: Stage) -> None:
    written = await stage.write()
    async with stage.db.transaction(stage.tenant) as tx:
        look = await routing.look(tx, written.conversation_id)
    assert look
    await stage.write()
    assert not await routing.leave_undecided(stage.db, stage.tenant, look.id, "held", look.last_seq, look.wake_at), "a message came since"

    assert await routing.leave_undecided(stage.db, stage.tenant, look.id, "held", 2, look.wake_at)

    assert stage.row("conversations", look.id)["wake_at"] is None
    assert stage.states(look.id) == ["held", "held"]
    assert (await stage.write()).wake == "routing"


async def test_leaving_undecided_while_settling_leaves_it_settled(stage: Stage) -> None:
    written = await stage.write()
    async with stage.other() as settling:
        await settling.settle(written.conversation_id, stage.one)
        leaving = begun(routing.leave_undecided(stage.db, stage.tenant, written.conversation_id, "refused", 1, None))
        await stage.waiting(leaving)
        await settling.commit()

    assert not await leaving
    assert stage.states(written.conversation_id) == ["pending"]
