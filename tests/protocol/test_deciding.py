"""Approvals: of all that may decide at once - people, the clock, whoever closes or cancels - exactly one does."""

import asyncio
from datetime import datetime

import pytest

from store import approvals, sessions
from store.approvals import Decision
from tests.protocol.stage import Stage, begun

VERDICTS = "select count(*) as n from messages where tenant_id = %s and kind = 'verdict' and approval_id = %s"


async def expire(stage: Stage, approval: str, armed_at: datetime | None = None) -> Decision:
    return await approvals.expire(stage.db, stage.tenant, approval, armed_at or stage.row("approvals", approval)["deadline_at"])


def verdict_rows(stage: Stage, approval: str) -> int:
    return int(stage.rows(VERDICTS, approval)[0]["n"])


async def test_of_many_deciders_and_the_clock_one_wins_and_the_conversation_hears_it_once(stage: Stage) -> None:
    for round_ in range(6):
        _, _, call, approval = await stage.asked(f"c{round_}", within=0.02)
        deciding = [stage.decide(approval, verdict, member) for member in ("boss", "aide") for verdict in ("approved", "denied")]
        outcomes = await asyncio.gather(*deciding, *(expire(stage, approval) for _ in range(2)))
        if stage.row("approvals", approval)["state"] == "pending":
            await asyncio.sleep(0.03)
            outcomes.append(await expire(stage, approval))

        assert [o.status for o in outcomes].count("decided") == 1
        row = stage.row("approvals", approval)
        assert row["verdict"] in ("approved", "denied", "expired")
        assert stage.row("calls", call)["state"] == {"approved": "approved"}.get(row["verdict"], "denied")
        assert verdict_rows(stage, approval) == 1


@pytest.mark.parametrize("first", ["decide", "expire"])
async def test_a_late_click_and_the_clock_have_one_winner(stage: Stage, first: str) -> None:
    _, session, _, approval = await stage.asked(within=5 if first == "decide" else 0.02)
    armed_at = stage.row("approvals", approval)["deadline_at"]
    async with stage.other() as other:
        if first == "decide":
            assert (await other.decide(approval))["status"] == "decided"
            await stage.passed(armed_at)
            waiting = begun(expire(stage, approval, armed_at))
        else:
            await stage.passed(armed_at)
            assert (await other.run("approvals/expire", approval=approval, armed_at=armed_at, message="msg_" + approval))["status"] == "decided"
            waiting = begun(stage.decide(approval))
        await stage.waiting(waiting)
        await other.commit()

    assert (await waiting).status == ("unchanged" if first == "decide" else "expired")
    assert stage.row("approvals", approval)["verdict"] == ("approved" if first == "decide" else "expired")
    assert verdict_rows(stage, approval) == 1
    assert stage.row("sessions", session)["wake_at"] is not None


async def test_a_click_after_the_deadline_is_late_even_before_the_clock_came(stage: Stage) -> None:
    _, _, _, approval = await stage.asked(within=0.01)
    await asyncio.sleep(0.02)

    assert (await stage.decide(approval)).status == "expired"
    assert stage.row("approvals", approval)["state"] == "pending"


async def test_a_clock_armed_for_another_deadline_decides_nothing(stage: Stage) -> None:
    _, _, _, approval = await stage.asked(within=0.01)
    armed_at = stage.row("approvals", approval)["deadline_at"]
    stage.owner.execute("update approvals set deadline_at = now() + interval '1 min' where id = %s", (approval,))
    await asyncio.sleep(0.02)

    assert (await expire(stage, approval, armed_at)).status == "unchanged"
    assert (await expire(stage, approval)).status == "unchanged", "extended: not due yet"
    assert (await stage.decide(approval)).status == "decided"


@pytest.mark.parametrize("first", ["close", "decide"])
async def test_closing_and_deciding_at_once(stage: Stage, first: str) -> None:
    conversation, session, call, approval = await stage.asked()
    async with stage.other() as other:
        if first == "close":
            await other.run("sessions/close", session=session, reason="member")
            waiting = begun(stage.decide(approval))
        else:
            await other.decide(approval)
            waiting = begun(sessions.close(stage.db, stage.tenant, session, "member"))
        await stage.waiting(waiting)
        await other.commit()
    outcome = await waiting

    assert stage.row("calls", call)["state"] == "cancelled", "closed: not started any more"
    if first == "close":
        assert getattr(outcome, "status", None) == "already_decided"
        assert stage.row("approvals", approval)["verdict"] == "cancelled"
        assert verdict_rows(stage, approval) == 0
    else:
        assert stage.row("approvals", approval)["verdict"] == "approved"
        assert stage.states(conversation) == ["answered", "cancelled"]


async def test_deciding_and_accepting_at_once_take_turns(stage: Stage) -> None:
    """The verdict is a message like any other: its seq is given under the same lock."""
    conversation, _, _, approval = await stage.asked()
    async with stage.other() as accepting:
        await accepting.accept(stage.inbound())
        deciding = begun(stage.decide(approval))
        await stage.waiting(deciding)
        await accepting.commit()

    assert (await deciding).status == "decided"
    kinds = stage.rows("select seq, kind from messages where tenant_id = %s and conversation_id = %s order by seq", conversation)
    assert [(row["seq"], row["kind"]) for row in kinds] == [(1, "text"), (2, "text"), (3, "text"), (4, "verdict")]


async def test_opening_an_approval_while_a_message_comes_does_not_lock_each_other_out(stage: Stage) -> None:
    """ACCEPT goes from the conversation to the session; what opens an approval refers to both and has to go the same way."""
    conversation, session = await stage.settled()
    call = await stage.call(session, "ask")
    async with stage.other() as accepting:
        await accepting.lock("conversations", conversation)
        opening = begun(stage.ask(call))
        await asyncio.sleep(0.1)
        assert (await accepting.accept(stage.inbound()))["seq"] == 2
        await accepting.commit()

    assert await opening


async def test_a_call_opens_its_approval_once(stage: Stage) -> None:
    _, session = await stage.settled()
    call = await stage.call(session, "ask")

    opened = await asyncio.gather(*(stage.ask(call) for _ in range(5)))

    assert len(set(opened)) == 1
    assert opened[0] is not None
    assert len(stage.rows("select id from approvals where tenant_id = %s")) == 1


async def test_no_approval_is_opened_for_a_call_that_was_cancelled_meanwhile(stage: Stage) -> None:
    _, session = await stage.settled()
    call = await stage.call(session, "ask")
    async with stage.other() as member:
        await member.run("sessions/stop_turn", session=session, state="cancelled", error=None)
        opening = begun(stage.ask(call))
        await stage.waiting(opening)
        await member.commit()

    assert await opening is None
    assert stage.rows("select id from approvals where tenant_id = %s") == []


async def test_a_verdict_goes_to_the_session_that_has_the_conversation_now(stage: Stage) -> None:
    """The route changed while people were asked. Sessions are locked in the order of their ids, whichever asked."""
    made = sorted([await stage.asked("a"), await stage.asked("b")], key=lambda it: it[1])
    (mine, one, _, first), (theirs, two, call, second) = made
    for conversation, session in ((mine, two), (theirs, one)):
        await stage.settle(conversation, stage.one, stage.row("sessions", session)["scope"])
        assert stage.row("conversations", conversation)["session_id"] == session
    async with stage.other() as holding:
        await holding.connection.execute("select from calls where tenant_id = %s and id = %s for no key update", (stage.tenant, call))
        deciding = begun(stage.decide(second))
        await stage.waiting(deciding)
        also = begun(stage.decide(first))
        await stage.waiting(also, others=1)
        await holding.commit()

    assert ((await deciding).wake_id, (await also).wake_id) == (one, two)
    assert stage.row("sessions", one)["wake_at"] is not None
    assert stage.row("sessions", two)["wake_at"] is not None


async def test_what_a_program_asked_is_decided_and_wakes_no_session(stage: Stage) -> None:
    approval = f"apr_{stage.tenant}"
    approvers = '{"of": ["boss"], "quorum": 1}'
    stage.owner.execute(
        "insert into approvals (tenant_id, id, action, arguments_sha256, purpose, requester, approvers, deadline_at)"
        " values (%s, %s, 'deploy', 'x', 'program', 'ci', %s, now() + interval '1 min')",
        (stage.tenant, approval, approvers),
    )

    decided = await stage.decide(approval)

    assert (decided.status, decided.wake, decided.wake_id) == ("decided", None, None)


async def test_the_same_word_again_is_a_repetition_and_another_comes_too_late(stage: Stage) -> None:
    _, _, _, approval = await stage.asked()
    await stage.decide(approval, "denied")

    assert (await stage.decide(approval, "denied")).status == "repeated"
    assert (await stage.decide(approval, "approved")).status == "already_decided"
    late = await stage.decide(approval, "approved", "aide")
    assert (late.status, late.verdict, late.decided_by) == ("already_decided", "denied", "boss")
    assert (late.decided_at is not None, verdict_rows(stage, approval)) == (True, 1)


async def test_a_quorum_counts_each_member_once_however_often_they_click(stage: Stage) -> None:
    _, session = await stage.settled()
    call = await stage.call(session, "ask")
    approval = await stage.ask(call)
    assert approval
    stage.owner.execute("""update approvals set approvers = '{"of": ["boss", "aide", "third"], "quorum": 2}' where id = %s""", (approval,))

    clicks = await asyncio.gather(*(stage.decide(approval, "approved", "boss") for _ in range(4)))
    assert sorted(c.status for c in clicks) == ["repeated"] * 3 + ["voted"]
    last = await asyncio.gather(stage.decide(approval, "approved", "aide"), stage.decide(approval, "approved", "third"))

    assert sorted(c.status for c in last) == ["already_decided", "decided"]
    assert stage.row("approvals", approval)["verdict"] == "approved"
