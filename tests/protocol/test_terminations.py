"""The same with the real workflows and a real worker: whatever is terminated in Temporal, every message is answered once."""

import asyncio
import random
from collections.abc import Iterator

import pytest
from temporalio.service import RPCError

from domain.ids import approval_workflow, routing_workflow, session_workflow
from store import approvals
from tests.protocol.laws import broken, waits
from tests.protocol.stage import Stage
from tests.world import World

LASTS = 6.0
"""Seconds of terminating; an open turn whose run is gone waits for its promise, up to ten seconds."""
ENOUGH = 3
"""More terminations than this there are in any case, however long that takes."""
CHATS = [f"chat{n}" for n in range(5)]


def said(dice: random.Random) -> Iterator[tuple[str, str]]:
    """What people write, each with a word that its answer has to hold."""
    number = 0
    while True:
        number += 1
        yield dice.choice(
            [
                (f"echo word{number}", f"word{number}"),
                (f"slow 0.3 word{number}", f"word{number}"),
                (f"remember key{number}=word{number}", f"word{number}"),
                (f"refund {number} to Ada", f"refund of {number} to Ada"),
            ]
        )


def stage_of(world: World) -> Stage:
    """The laws look at a stage."""
    return Stage(world.sql, world.parts.db, world.tenant, world.account, (world.agent, world.agent))


async def terminate(world: World, dice: random.Random) -> int:
    """Terminates one of the tenant's workflows, if it runs."""
    made = (
        ("sessions", session_workflow, 0.7),
        ("conversations", routing_workflow, 0.15),
        ("approvals", approval_workflow, 0.15),
    )
    table, name, _ = dice.choices(made, weights=[weight for *_, weight in made])[0]
    ids = [row["id"] for row in world.rows(f"select id from {table} where tenant_id = %s")]
    if not ids:
        return 0
    try:
        await world.parts.temporal.get_workflow_handle(name(world.tenant, dice.choice(ids))).terminate("a test")
    except RPCError:
        return 0
    return 1


async def decide(world: World) -> None:
    """The owner approves whatever is asked, and says `done` where it is asked what became of a call."""
    for row in world.rows("select id, purpose from approvals where tenant_id = %s and state = 'pending'"):
        decided = await approvals.decide(
            world.parts.db, world.tenant, row["id"], member=world.member.id, identities=world.owner, verdict="approved", comment="",
            answer="done" if row["purpose"] == "outcome" else None, sha256=None, via="test",
        )  # fmt: skip
        world.parts.inbox.wake(world.tenant, decided.wake, decided.wake_id)


@pytest.mark.timeout(240)
async def test_whatever_is_terminated_every_message_is_answered_once(world: World, working: None) -> None:
    seed = random.SystemRandom().randrange(10**6)
    dice, stage, terminated = random.Random(seed), stage_of(world), 0
    written: dict[str, str] = {}
    words = said(dice)
    ends = asyncio.get_running_loop().time() + LASTS
    while asyncio.get_running_loop().time() < ends or terminated <= ENOUGH:
        text, word = next(words)
        written[(await world.write(text, chat=dice.choice(CHATS))).message_id] = word
        await decide(world)
        await asyncio.sleep(dice.random() * 0.2)
        terminated += await terminate(world, dice)
        assert broken(stage) == [], f"seed {seed}"
    async with asyncio.timeout(100):
        while waits(stage):
            await decide(world)
            await asyncio.sleep(0.3)

    answers = world.rows("""
        select m.id, m.state, o.text from messages m left join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by
         where m.tenant_id = %s and m.direction = 'inbound' and m.kind = 'text'""")
    assert {row["id"]: row["state"] for row in answers} == dict.fromkeys(written, "answered"), f"seed {seed}\n{world.story()}"
    for row in answers:
        assert written[row["id"]] in (row["text"] or "") or "cannot tell" in row["text"], f"seed {seed}: {row}\n{world.story()}"
    assert broken(stage) == [], f"seed {seed}"
