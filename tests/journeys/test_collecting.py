"""What is written while the agent is busy is collected into the next turn; what is written within the debounce into one."""

import asyncio

from temporalio.client import WorkflowExecutionStatus

from domain.ids import session_workflow
from tests.journeys import deeds
from tests.world import World

TURNS = "select m.text, m.turn from messages m where m.tenant_id = %s and m.direction = 'inbound' order by m.seq"


async def test_messages_written_while_a_tool_runs_become_the_next_turn_in_order(live: World) -> None:
    slow = await live.write("slow 5 first")
    await deeds.running_call(live)
    meanwhile = [await live.write(f"echo {n}") for n in range(3)]

    answers = [await live.answer(message) for message in (slow, *meanwhile)]

    assert answers == ["first", "0", "1", "2"]
    assert deeds.said(live) == answers
    turns = [row["turn"] for row in live.rows(TURNS)]
    assert turns == [turns[0], *[turns[0] + 1] * 3]


async def test_several_messages_within_the_debounce_are_one_turn(live: World) -> None:
    live.sql.execute("update accounts set debounce = 3 where tenant_id = %s", (live.tenant,))
    written = [await live.write(f"echo {n}") for n in range(4)]

    answers = [await live.answer(message) for message in written]

    assert answers == ["0", "1", "2", "3"]
    assert len({row["turn"] for row in live.rows(TURNS)}) == 1
    waited = live.rows(
        "select o.accepted_at - m.accepted_at as waited from messages m join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by"
        " where m.tenant_id = %s and m.seq = 1"
    )
    assert waited[0]["waited"].total_seconds() >= 3


async def test_a_burst_over_many_continued_runs_loses_and_repeats_nothing(odd: World) -> None:
    written = []
    for n in range(40):
        written.append(await odd.write(f"remember k{n % 3}={n}" if n % 8 == 0 else f"echo {n}"))
        if n % 4 == 3:
            await odd.answer(written[-1])
    answers = await asyncio.gather(*(odd.answer(message) for message in written))

    assert answers == [f"I will remember that k{n % 3} = {n}." if n % 8 == 0 else str(n) for n in range(40)]
    assert deeds.said(odd) == answers
    session = await deeds.session_of(odd)
    await deeds.rests(odd, session)
    runs = [run async for run in odd.parts.temporal.list_workflows(f"WorkflowId = '{session_workflow(odd.tenant, session)}'")]
    continued = [run for run in runs if run.status is WorkflowExecutionStatus.CONTINUED_AS_NEW]
    assert len(continued) >= 3


async def test_two_chats_are_answered_at_the_same_time(live: World) -> None:
    slow = await live.write("slow 59 late", chat="slow")
    await deeds.running_call(live)

    assert await live.say("echo now", chat="quick") == "now"

    assert (await live.until("select state from messages where tenant_id = %s and id = %s", slow.message_id))["state"] == "pending"
    await deeds.cancel_turn(live, await deeds.session_of(live, "slow"))
