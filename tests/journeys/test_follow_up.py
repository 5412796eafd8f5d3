"""A follow-up is a row until it is due: nothing stays open for it."""

from datetime import UTC, datetime, timedelta

from temporalio.client import WorkflowExecutionStatus

from domain.ids import session_workflow
from tests.journeys import deeds
from tests.world import World

TIMER = "select * from messages where tenant_id = %s and kind = 'timer'"


async def test_a_follow_up_is_told_when_it_is_due_and_nothing_stays_open_meanwhile(odd: World) -> None:
    assert await odd.say("follow up in 2 hours: water the plants") == "I will come back to you in 2 hours: water the plants"
    session = await deeds.session_of(odd)
    timer = odd.rows(TIMER)[0]

    await deeds.rests(odd, session)

    between = odd.rows("select s.wake_at, m.state from sessions s, messages m where s.tenant_id = %s and m.id = %s", timer["id"])[0]
    assert (between["state"], between["wake_at"]) == ("pending", timer["due_at"])
    _two_hours_pass(odd)
    assert await odd.answer(timer["id"]) == "You asked me to come back to this: water the plants"
    told = await odd.until(
        "select o.* from messages m join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by where m.tenant_id = %s and m.kind = 'timer'"
    )
    assert odd.rows(TIMER)[0]["due_at"] <= told["accepted_at"]


def _two_hours_pass(world: World) -> None:
    """All that is due in two hours is due now: what was promised stands in rows."""
    world.sql.execute("update messages set due_at = due_at - interval '2 hours' where tenant_id = %s and kind = 'timer'", (world.tenant,))
    world.sql.execute("update sessions set wake_at = wake_at - interval '2 hours' where tenant_id = %s", (world.tenant,))


async def test_a_follow_up_within_the_linger_is_waited_for_by_the_run_itself(odd: World) -> None:
    await odd.say("follow up in 1 second: soon")

    told = await odd.answer(odd.rows(TIMER)[0]["id"])

    assert told == "You asked me to come back to this: soon"


async def test_a_follow_up_in_days_is_only_a_row_and_survives_what_is_written_before_it(odd: World) -> None:
    await odd.say("follow up in 3 days: renew the lease")
    session = await deeds.session_of(odd)
    assert await odd.say("echo in between") == "in between"
    await deeds.rests(odd, session)

    row = odd.rows(
        "select s.wake_at, m.due_at, m.state from sessions s, messages m where s.tenant_id = %s and m.kind = 'timer' and m.tenant_id = s.tenant_id"
    )[0]

    assert row["state"] == "pending"
    assert row["wake_at"] == row["due_at"] > datetime.now(UTC) + timedelta(days=2)
    assert await deeds.status(odd, session_workflow(odd.tenant, session)) is WorkflowExecutionStatus.COMPLETED


async def test_a_far_follow_up_keeps_its_session_from_expiring(odd: World) -> None:
    await odd.say("follow up in 60 days: look at the roof")
    session = await deeds.session_of(odd)
    await deeds.rests(odd, session)
    odd.sql.execute("update sessions set last_used_at = now() - interval '31 days' where tenant_id = %s", (odd.tenant,))

    async with odd.parts.db.transaction(odd.tenant) as tx:
        await tx.rows("sessions/expire_unused", dict, unused_for=30 * 86_400.0, limit=10)

    assert odd.rows("select life from sessions where tenant_id = %s") == [{"life": "open"}]
