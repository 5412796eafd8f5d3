"""A session's run lingers, completes and leaves a row; a later message starts it again."""

from temporalio.client import WorkflowExecutionStatus

from domain.ids import session_workflow
from tests.journeys import deeds
from tests.workflows.histories import comes_to, details, runs, summary_of
from tests.world import World
from workflows.options import SB_KIND, SB_TENANT

TRIES = 10


async def test_a_run_completes_after_the_linger_and_the_next_message_starts_another_of_the_same_session(live: World) -> None:
    await live.say("remember town=Bonn")
    session = await deeds.session_of(live)
    id_ = session_workflow(live.tenant, session)
    assert await deeds.completed(live, id_) == "rest"
    first = await deeds.workflow(live, id_).describe()
    assert live.rows("select wake_at from sessions where tenant_id = %s") == [{"wake_at": None}]

    assert await live.say("recall town") == "town = Bonn"

    second = await deeds.workflow(live, id_).describe()
    assert await deeds.session_of(live) == session
    assert first.run_id != second.run_id
    assert first.status is WorkflowExecutionStatus.COMPLETED


async def test_a_message_within_the_linger_is_answered_by_the_same_run(live: World) -> None:
    """On a machine so busy that the linger is over before we write, we write again."""
    await live.say("echo one")
    id_ = session_workflow(live.tenant, await deeds.session_of(live))
    answered_by = []
    for n in range(TRIES):
        answered_by.append((await deeds.workflow(live, id_).describe()).run_id)
        await live.say(f"echo {n}")
        if (await deeds.workflow(live, id_).describe()).run_id == answered_by[-1]:
            return
    raise AssertionError(f"a run of its own answered each message: {answered_by}")


async def test_a_run_that_was_terminated_is_started_again_by_the_promise_alone(live: World) -> None:
    message = await live.write("slow 1 survives")
    await deeds.running_call(live)
    session = await deeds.session_of(live)

    await deeds.workflow(live, session_workflow(live.tenant, session)).terminate("a test")
    live.sql.execute("update sessions set wake_at = now() where tenant_id = %s", (live.tenant,))

    assert await live.answer(message) == "survives"
    assert deeds.said(live) == ["survives"]


async def test_a_continued_run_keeps_its_search_attributes_and_has_details(odd: World) -> None:
    for n in range(6):
        await odd.say(f"echo {n}")
    await deeds.rests(odd, await deeds.session_of(odd))

    sessions = [run async for run in runs(odd.parts.temporal, odd.tenant) if run.kind == "SessionWorkflow"]

    assert len(sessions) >= 2
    assert summary_of(sessions[-1].events[0]) == "session: thinks, acts and delivers, then rests"
    for run in sessions:
        found = run.execution.typed_search_attributes
        assert (found.get(SB_TENANT), found.get(SB_KIND)) == (odd.tenant, "session")
    await comes_to("Rests after turn 6; a message wakes it.", lambda: details(odd.parts.temporal, sessions[0].execution.id))
