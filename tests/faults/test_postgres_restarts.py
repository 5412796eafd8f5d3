"""Postgres is restarted again and again while ten people write: whatever was acknowledged is answered, once and in order."""

import asyncio
import signal

import psutil

from tests.crash.stack import Stack
from tests.crash.tally import check
from tests.crash.visitor import Visitor
from tests.faults.deeds import until, visiting

PEOPLE = 10
RESTARTS = (signal.SIGINT, signal.SIGKILL, signal.SIGINT, signal.SIGKILL)
"""Its fast shutdown, and a crash."""


async def test_postgres_restarted_under_load(stack: Stack) -> None:
    """Everybody goes on writing all the while, in each gap and between them."""
    async with visiting(stack, PEOPLE) as people:
        writing = [asyncio.create_task(_write_on(person)) for person in people]
        for how in RESTARTS:
            before = len(_accepted(people))
            await until(lambda before=before: len(_accepted(people)) >= before + PEOPLE, "people are heard")
            await _restart(stack, how)
        for task in writing:
            task.cancel()
        await asyncio.gather(*writing, return_exceptions=True)
        await asyncio.gather(*(person.write("echo last") for person in people))

        await check(stack, people)

        written = [row["id"] for row in stack.rows("select id from messages where direction = 'inbound' and state <> 'answered'")]
        assert written == []


async def _write_on(person: Visitor) -> None:
    n = 0
    while True:
        n += 1
        await person.write(f"slow 0.2 {n}" if n % 5 == 0 else f"echo {n}")
        await asyncio.sleep(0.2)


def _accepted(people: list[Visitor]) -> list[str]:
    return [id_ for person in people for id_ in person.accepted]


async def _restart(stack: Stack, how: signal.Signals) -> None:
    """Ends Postgres so; its supervisor starts another."""
    first = stack.part("Postgres")[0]
    first.send_signal(how)
    await asyncio.to_thread(psutil.wait_procs, [first], 30)
    assert not first.is_running()
    await asyncio.to_thread(stack.rows, "select 1")
