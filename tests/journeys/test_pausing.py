"""Suspend, resume, close and cancel: each is one commit that holds whatever runs at that moment."""

import pytest
from temporalio.client import WorkflowExecutionStatus

from domain.ids import session_workflow
from tests.journeys import deeds
from tests.world import World

STATES = "select state from messages where tenant_id = %s and direction = 'inbound' order by seq"


async def test_a_suspended_session_keeps_messages_and_answers_them_in_order_once_resumed(live: World) -> None:
    await live.say("remember colour=blue")
    session = await deeds.session_of(live)
    await deeds.suspend(live, session)
    written = [await live.write(text) for text in ("recall colour", "recall size", "echo 3")]
    await deeds.rests(live, session)

    assert live.rows(STATES)[1:] == [{"state": "pending"}] * 3
    assert live.rows("select wake_at from sessions where tenant_id = %s") == [{"wake_at": None}]

    await deeds.resume(live, session, size="large")
    assert [await live.answer(message) for message in written] == ["colour = blue", "size = large", "3"]


async def test_a_suspended_session_has_no_workflow_and_messages_start_none(live: World) -> None:
    await live.say("echo first")
    session = await deeds.session_of(live)
    await deeds.suspend(live, session)
    await deeds.rests(live, session)
    before = await deeds.workflow(live, session_workflow(live.tenant, session)).describe()

    accepted = await live.write("echo nobody looks")

    assert accepted.wake is None
    after = await deeds.workflow(live, session_workflow(live.tenant, session)).describe()
    assert (after.run_id, after.status) == (before.run_id, WorkflowExecutionStatus.COMPLETED)


async def test_a_turn_that_was_suspended_in_its_middle_goes_on_where_it_was(live: World) -> None:
    message = await live.write("slow 2 whole")
    await deeds.running_call(live)
    session = await deeds.session_of(live)
    await deeds.suspend(live, session)
    await live.until("select 1 from calls where tenant_id = %s and state = 'done'")
    await deeds.rests(live, session)
    assert deeds.said(live) == []

    await deeds.resume(live, session)

    assert await live.answer(message) == "whole"
    assert len(live.rows("select 1 from calls where tenant_id = %s")) == 1


async def test_closing_cancels_what_is_open_and_the_next_message_starts_another_session(live: World) -> None:
    await live.say("refund 7 to Ada")
    approval = await live.pending_approval()
    session = await deeds.session_of(live)
    await deeds.suspend(live, session)
    await live.write("echo never")

    await deeds.close(live, session)

    assert [row["state"] for row in live.rows(STATES)] == ["answered", "cancelled"]
    assert live.rows("select state, verdict from approvals where tenant_id = %s") == [{"state": "cancelled", "verdict": "cancelled"}]
    assert live.rows("select state from calls where tenant_id = %s") == [{"state": "cancelled"}]
    assert await live.say("echo anew") == "anew"
    assert await deeds.session_of(live) != session
    late = await deeds.decide(live, approval["id"], "approved")
    assert (late.status_code, late.json()["code"]) == (409, "already_decided")
    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == []


async def test_the_clock_of_an_approval_hears_at_once_that_its_session_was_closed(live: World) -> None:
    await live.say("refund 7 to Ada")
    approval = await live.pending_approval()
    session = await deeds.session_of(live)

    await deeds.close(live, session)

    assert await deeds.completed(live, f"approval/{live.tenant}/{approval['id']}") == "cancelled"


@pytest.mark.parametrize("stop", ["cancel", "close"])
async def test_a_running_tool_is_stopped_and_the_next_message_is_answered(live: World, stop: str) -> None:
    message = await live.write("slow 59 late")  # longer than an answer is waited for
    await deeds.running_call(live)
    session = await deeds.session_of(live)

    if stop == "cancel":
        assert await deeds.cancel_turn(live, session) == "cancelled"
    else:
        await deeds.close(live, session)
    later = [await live.write(f"echo {n}") for n in range(3)]

    assert [await live.answer(one) for one in later] == ["0", "1", "2"]
    call = await live.until("select * from calls where tenant_id = %s and state = 'cancelled'")
    assert call["result"] == "It was stopped while it ran, because its turn was cancelled."
    assert live.rows("select state from messages where tenant_id = %s and id = %s", message.message_id) == [{"state": "cancelled"}]
    assert "late" not in deeds.said(live)


async def test_an_approved_call_that_is_stopped_while_it_runs_is_told_as_stopped(live: World) -> None:
    deeds.use(live, tools='[{"name": "wait", "rules": [{"gate": "ask"}]}]')
    await live.say("slow 30 late")
    approval = await live.pending_approval()
    await deeds.decide(live, approval["id"], "approved")
    await deeds.running_call(live)

    assert await deeds.cancel_turn(live, approval["session_id"]) == "cancelled"

    assert "could not be done: It was stopped while it ran" in await deeds.verdict_told(live, approval["id"])


async def test_a_model_request_is_given_up_when_its_turn_is_cancelled(odd: World) -> None:
    deeds.use(odd, backend="puppet")
    message = await odd.write('[{"sleep": 60, "say": "too late"}]')  # longer than an answer is waited for
    await odd.until("select 1 from drafts where tenant_id = %s")
    session = await deeds.session_of(odd)

    assert await deeds.cancel_turn(odd, session) == "cancelled"

    assert await odd.say("quick") == "quick"
    assert odd.rows("select state from messages where tenant_id = %s and id = %s", message.message_id) == [{"state": "cancelled"}]
    assert {"outcome": "discarded"} in odd.rows("select outcome from requests where tenant_id = %s")


async def test_cancelling_with_nothing_open_changes_nothing(live: World) -> None:
    await live.say("echo done")
    session = await deeds.session_of(live)

    assert await deeds.cancel_turn(live, session) == "idle"
    assert await live.say("echo still here") == "still here"
