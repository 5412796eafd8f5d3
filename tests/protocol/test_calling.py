"""Calls: started once, finished once, and asked about where nobody can know."""

import asyncio

import pytest

from store import sessions
from tests.protocol.stage import Stage, begun


async def unknown(stage: Stage, *, asked: bool) -> tuple[str, str, str | None]:
    """A call that an earlier attempt began and left: (session, call, the question what became of it)."""
    _, session = await stage.settled()
    call = await stage.call(session)
    assert await stage.start(call) == "started"
    assert await stage.mark_unknown(call)
    return session, call, await stage.ask(call, "outcome") if asked else None


async def test_of_many_that_start_a_call_one_does(stage: Stage) -> None:
    _, session = await stage.settled()
    call = await stage.call(session)

    began = await asyncio.gather(*(stage.start(call, f"a{n}") for n in range(6)))

    assert sorted(began) == ["broken"] * 5 + ["started"]


async def test_an_attempt_whose_answer_was_lost_is_told_again_that_it_began(stage: Stage) -> None:
    """The commit came through and its answer did not: the same question is put again, and it is still the one that began."""
    _, session = await stage.settled()
    call = await stage.call(session)
    async with stage.other() as attempt:
        given = {"call": call, "by": "this attempt", "sha256": stage.row("calls", call)["arguments_sha256"]}
        assert (await attempt.run("calls/start", **given))["status"] == "started"
        await attempt.commit()
        assert (await attempt.run("calls/start", **given))["status"] == "started"
        assert (await attempt.run("calls/start", **given | {"by": "another"}))["status"] == "broken"


async def test_a_call_does_not_start_with_other_arguments_in_a_paused_session_or_when_it_is_gone(stage: Stage) -> None:
    _, session = await stage.settled()
    call = await stage.call(session)
    await sessions.suspend(stage.db, stage.tenant, session)
    assert await stage.start(call) == "stopped"
    await sessions.resume(stage.db, stage.tenant, session, {})

    assert await stage.start(call, sha256="other") == "failed"
    assert stage.row("calls", call)["state"] == "failed"
    assert await stage.start("cal_gone") == "gone"


@pytest.mark.parametrize("first", ["cancel", "start"])
async def test_cancelling_and_starting_at_once(stage: Stage, first: str) -> None:
    _, session = await stage.settled()
    call = await stage.call(session)
    async with stage.other() as other:
        if first == "cancel":
            await other.run("sessions/stop_turn", session=session, state="cancelled", error=None)
            waiting = begun(stage.start(call))
        else:
            await other.run("calls/start", call=call, by="a", sha256=stage.row("calls", call)["arguments_sha256"])
            waiting = begun(sessions.cancel_turn(stage.db, stage.tenant, session))
        await stage.waiting(waiting)
        await other.commit()

    assert await waiting == "cancelled"
    row = stage.row("calls", call)
    assert row["state"] == ("cancelled" if first == "cancel" else "started")
    assert (row["stop_asked_at"] is not None) == (first == "start"), "what runs is asked to stop"


async def test_a_late_finisher_answers_the_question_that_was_asked_meanwhile(stage: Stage) -> None:
    session, call, question = await unknown(stage, asked=True)
    assert question

    finished = await stage.finish(call, {"paid": 5})

    assert (finished.status, finished.wake_id) == ("decided", session)
    row = stage.row("approvals", question)
    assert (row["verdict"], row["decided_by"], row["answer"]) == ("approved", "policy", "done")
    row = stage.row("calls", call)
    assert (row["state"], row["result"], row["late_outcome"]) == ("done", {"paid": 5}, {"paid": 5})
    assert stage.row("sessions", session)["wake_at"] is not None


async def test_a_late_finisher_before_anybody_was_asked_settles_it_and_nobody_is(stage: Stage) -> None:
    session, call, _ = await unknown(stage, asked=False)

    assert (await stage.finish(call, {"paid": 5})).status == "finished"

    row = stage.row("calls", call)
    assert (row["state"], row["result"], row["late_outcome"]) == ("done", {"paid": 5}, {"paid": 5})
    assert await stage.ask(call, "outcome") is None
    assert (await stage.say(session)).status == "committed"


@pytest.mark.parametrize("first", ["human", "finisher"])
async def test_a_humans_not_done_and_a_late_finisher_have_one_winner(stage: Stage, first: str) -> None:
    _, call, question = await unknown(stage, asked=True)
    assert question
    async with stage.other() as other:
        if first == "human":
            assert (await other.decide(question, "approved", answer="not done"))["status"] == "decided"
            waiting = begun(stage.finish(call, "paid"))
        else:
            finished = await other.run("calls/finish", call=call, result='"paid"', failed=False, message=f"msg_{call}")
            assert finished["status"] == "decided"
            waiting = begun(stage.decide(question, "approved", answer="not done"))
        await stage.waiting(waiting)
        await other.commit()

    assert (await waiting).status == ("late" if first == "human" else "already_decided")
    row = stage.row("calls", call)
    assert row["late_outcome"] == "paid", "people are told that it was done after all"
    assert row["state"] == ("failed" if first == "human" else "done")


@pytest.mark.parametrize("first", ["ask", "finish"])
async def test_asking_and_finishing_at_once(stage: Stage, first: str) -> None:
    """Either nobody is asked, or the question is answered by the finisher."""
    _, call, _ = await unknown(stage, asked=False)
    async with stage.other() as other:
        if first == "ask":
            given = {"kind": "choose", "action": "plain", "requester": "r", "approvers": '{"of": ["boss"]}', "allow_self": False, "options": None}
            asked = await other.run(
                "approvals/open_for_call", call=call, purpose="outcome", approval=f"apr_{call}", within=60, on_timeout="deny", **given
            )
            assert asked["approval"]
            waiting = begun(stage.finish(call, "paid"))
        else:
            await other.run("calls/finish", call=call, result='"paid"', failed=False, message=f"msg_{call}")
            waiting = begun(stage.ask(call, "outcome"))
        await stage.waiting(waiting)
        await other.commit()
    outcome = await waiting

    assert stage.row("calls", call)["state"] == "done"
    assert stage.rows("select count(*) as n from approvals where tenant_id = %s and state = 'pending'") == [{"n": 0}]
    assert getattr(outcome, "status", outcome) == ("decided" if first == "ask" else None)


async def test_finishing_twice_is_finishing_once(stage: Stage) -> None:
    """A repeated finish, its answer lost, is not a late outcome of its own; a different one is."""
    _, session = await stage.settled()
    call = await stage.call(session)
    await stage.start(call)

    assert (await stage.finish(call, "ok")).status == "finished"
    assert (await stage.finish(call, "ok")).status == "late"
    assert stage.row("calls", call)["late_outcome"] is None
    await stage.finish(call, "other")
    row = stage.row("calls", call)
    assert (row["state"], row["result"], row["late_outcome"]) == ("done", "ok", "other")


async def test_giving_up_and_finishing_at_once_have_one_winner(stage: Stage) -> None:
    for round_ in range(5):
        _, session = await stage.settled(f"c{round_}")
        call = await stage.call(session)
        await stage.start(call)

        gave_up, finished = await asyncio.gather(stage.mark_unknown(call), stage.finish(call, "paid"))

        row = stage.row("calls", call)
        assert (row["state"], row["result"]) == ("done", "paid")
        assert finished.status == "finished"
        assert gave_up == (row["late_outcome"] is not None)


async def test_an_effect_and_its_being_done_are_one_commit(stage: Stage) -> None:
    """The attempt is killed between the effect and its end: neither is there, and the next attempt does both."""
    conversation, session = await stage.settled()
    call = await stage.call(session, tool="refund")
    sha256 = stage.row("calls", call)["arguments_sha256"]
    for committed in (False, True, True):
        async with stage.other() as tool:
            await tool.run("calls/lock_conversation", conversation=conversation)
            began = await tool.run("calls/start", call=call, by="t", sha256=sha256)
            if began["status"] == "started":
                await tool.connection.execute(
                    'insert into demo_refunds (tenant_id, call_id, amount, "to") values (%s, %s, 5, %s)', (stage.tenant, call, "Ada")
                )
                await tool.run("calls/finish", call=call, result="null", failed=False, message=f"msg_{call}")
            if committed:
                await tool.commit()

    assert began["status"] == "done"
    assert len(stage.rows("select id from demo_refunds where tenant_id = %s")) == 1
