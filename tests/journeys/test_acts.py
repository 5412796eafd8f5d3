"""A call is carried out once. Where nobody can know, a human is asked, and the outcome is told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from temporalio.testing import ActivityEnvironment

from activities.calls import Calls
from domain.progress import CallRef
from parts import Parts
from settings import Settings
from store import approvals, sessions
from tests.journeys import deeds
from tests.journeys.kit import Post
from tests.journeys.stacks import beside, kit_registered, running
from tests.world import World, make_world
from wiring import connect, opened, sweep, worker

ASK = json.dumps([{"name": "post", "rules": [{"gate": "ask"}]}])
RUN = json.dumps([{"name": "post"}, {"name": "burst"}, {"name": "wait"}])
QUESTION = "select * from approvals where tenant_id = %s and purpose = 'outcome' and state = 'pending'"


def _letter(words: str, **more: Any) -> str:
    return json.dumps([{"call": "post", "with": {"words": words, **more}}, {"say": "{}"}])


async def _decided(odd: World, approval: str, verdict: str, answer: Any = None) -> None:
    decision = await approvals.decide(
        odd.parts.db,
        odd.tenant,
        approval,
        member=odd.member.id,
        identities=odd.owner,
        verdict=verdict,
        comment="",
        answer=answer,
        sha256=None,
        via="api",
    )
    assert decision.status == "decided"
    odd.parts.inbox.wake(odd.tenant, decision.wake, decision.wake_id)


async def _told(odd: World, approval: str) -> dict[str, Any]:
    return dict(json.loads(await deeds.verdict_told(odd, approval)))


async def _begun_by_another(odd: World) -> str:
    """A letter that was asked about, and approved while an attempt that is no more had already begun it; the gate's approval."""
    deeds.use(odd, backend="puppet", tools=ASK)
    await odd.say(_letter("once"))
    approval = str((await odd.pending_approval())["id"])
    odd.sql.execute("update calls set state = 'started', started_by = 'an attempt that is gone' where tenant_id = %s", (odd.tenant,))
    await _decided(odd, approval, "approved")
    return approval


@pytest.mark.parametrize(
    ("verdict", "answer", "state"), [("approved", "done", "done"), ("approved", "not done", "failed"), ("denied", None, "failed")]
)
async def test_what_an_attempt_left_open_is_asked_about_and_told(odd: World, verdict: str, answer: str | None, state: str) -> None:
    gate = await _begun_by_another(odd)

    question = await odd.until(QUESTION)
    assert (question["kind"], question["options"]) == ("choose", ["done", "not done"])
    assert await _told(odd, gate) == {"verdict": "approved", "failed": False, "purpose": "gate", "uncertain": True, "answer": None}
    await _decided(odd, question["id"], verdict, answer)

    told = await _told(odd, question["id"])
    assert (told["purpose"], told["answer"], told["uncertain"]) == ("outcome", answer, False)
    assert odd.rows("select state from calls where tenant_id = %s") == [{"state": state}]
    assert "once" not in Post.posted


async def test_a_call_of_the_open_turn_that_broke_off_is_told_as_unknown(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools=RUN)
    message = await odd.write(_letter("held", hold=True))
    await deeds.running_call(odd, "post")

    assert await deeds.cancel_turn(odd, await deeds.session_of(odd)) == "cancelled"

    question = await odd.until(QUESTION)
    assert odd.rows("select state from calls where tenant_id = %s") == [{"state": "unknown"}]
    assert await odd.say("later") == "later"
    await _decided(odd, question["id"], "approved", "not done")
    assert (await _told(odd, question["id"]))["answer"] == "not done"
    assert odd.rows("select state from messages where tenant_id = %s and id = %s", message.message_id) == [{"state": "cancelled"}]


async def test_a_late_finisher_answers_the_question_itself(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools=ASK)
    await odd.say(_letter("late", hold=True))
    approval = await odd.pending_approval()
    session = await deeds.session_of(odd)
    await deeds.suspend(odd, session)
    await _decided(odd, approval["id"], "approved")
    assert await sessions.resume(odd.parts.db, odd.tenant, session, {}) == "open"
    Post.let_go.clear()
    slow = Calls(odd.parts.db, odd.parts.notices, odd.parts.inbox, {"post": Post()})
    zombie = asyncio.ensure_future(ActivityEnvironment().run(slow.act, CallRef(odd.tenant, approval["call_id"], approval["arguments_sha256"])))

    question = await odd.until(QUESTION)
    assert (await _told(odd, approval["id"]))["uncertain"]
    Post.let_go.set()
    await zombie

    told = await _told(odd, question["id"])
    assert (told["purpose"], told["answer"]) == ("outcome", "done")
    row = odd.rows("select state, late_outcome, result from calls where tenant_id = %s")[0]
    assert row == {"state": "done", "late_outcome": {"posted": "late"}, "result": {"posted": "late"}}
    assert Post.posted.count("late") == 1
    assert odd.rows("select decided_by from approvals where tenant_id = %s and purpose = 'outcome'") == [{"decided_by": "policy"}]


async def test_a_tool_that_breaks_down_in_its_transaction_leaves_nothing_behind_and_has_failed(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools=RUN)

    assert await odd.say(json.dumps([{"call": "burst", "with": {"words": "secret"}}, {"say": "{}"}])) == "failed"

    assert odd.rows("select context from sessions where tenant_id = %s") == [{"context": {}}]
    assert odd.rows("select state, result from calls where tenant_id = %s") == [
        {"state": "failed", "result": "The tool broke down; a member can see why in the log."}
    ]


async def test_a_worker_that_is_stopped_hands_over_what_is_harmless_to_repeat_and_asks_about_the_rest(settings: Settings, folder: Path) -> None:
    own = await beside(settings, "restarts", linger=1.0, graceful_shutdown=0.2)
    async with opened(own, "restarts") as parts:
        with psycopg.connect(own.owner_database_url.get_secret_value(), autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
            world = await make_world(sql, parts)
            async with _worker(own, parts, folder / "first"):
                deeds.use(world, backend="puppet", tools=RUN)
                slow = await world.write(json.dumps([{"call": "wait", "with": {"seconds": 2}}, {"say": "{}"}]), chat="slow")
                await deeds.running_call(world)
                Post.let_go.clear()
                letter = await world.write(_letter("cut off", hold=True), chat="letter")
                await deeds.running_call(world, "post")
            async with _worker(own, parts, folder / "second"):
                assert await world.answer(slow) == "done"
                question = await world.until(QUESTION)
                assert await world.answer(letter) == "unknown"
                await _decided(world, question["id"], "approved", "not done")
                assert (await _told(world, question["id"]))["answer"] == "not done"
    assert "cut off" not in Post.posted


@asynccontextmanager
async def _worker(own: Settings, parts: Parts, folder: Path) -> AsyncIterator[None]:
    with kit_registered(folder):
        made = worker(parts, await connect(own, lazy=False))
    async with made, running(sweep(parts).forever()):
        yield
