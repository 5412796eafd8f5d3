"""What bounds a turn and a session: steps, failing models, memory with versions, expiry."""

import json
from datetime import UTC, datetime, timedelta

from activities.sweep import Sweep
from tests.journeys import deeds
from tests.journeys.kit import Puppet
from tests.world import World


async def test_a_turn_that_never_ends_is_ended_with_a_sentence(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools='[{"name": "remember"}]')

    answer = await odd.say(json.dumps([{"call": "remember", "with": {"key": "k", "value": 1}}]))

    assert answer == "I stopped after 6 steps without finishing. Tell me how to go on."
    assert len(odd.rows("select 1 from steps where tenant_id = %s and kind = 'call'")) == 6
    assert await odd.say("fine") == "fine"


async def test_a_tool_that_is_not_the_agents_and_arguments_that_do_not_fit_are_denied_and_the_turn_goes_on(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools='[{"name": "remember"}]')
    steps = [{"call": "refund", "with": {"amount": 0, "to": "x"}}, {"call": "remember", "with": {"key": 1}}, {"call": "nothing"}, {"say": "{} {} {}"}]

    assert await odd.say(json.dumps(steps)) == "denied denied denied"


async def test_a_model_that_is_away_is_tried_again_and_then_the_person_is_told(odd: World) -> None:
    deeds.use(odd, backend="puppet")
    wish = json.dumps([{"raise": "unavailable", "id": odd.tenant}])

    assert await odd.say(wish) == "I could not reach my model, after several tries. Please write again in a few minutes."

    assert Puppet.asked.count(wish) == 2
    assert odd.rows("select outcome, attempt from requests where tenant_id = %s order by id") == [
        {"outcome": "failed", "attempt": 1},
        {"outcome": "failed", "attempt": 2},
    ]


async def test_a_model_that_refuses_is_not_asked_again(odd: World) -> None:
    deeds.use(odd, backend="puppet")
    wish = json.dumps([{"raise": "refused", "id": odd.tenant}])

    assert (await odd.say(wish)).startswith("I cannot answer right now.")
    assert Puppet.asked.count(wish) == 1


async def test_a_backend_with_a_bug_and_a_backend_that_is_gone_are_told_without_details(odd: World) -> None:
    deeds.use(odd, backend="puppet")
    assert (
        await odd.say('[{"raise": "bug"}]') == "Something went wrong on our side while I was answering. It was written down, and a member can see it."
    )

    deeds.use(odd, backend="no-such-backend")
    assert (await odd.say("echo hello")).startswith("I cannot answer right now.")


async def test_arguments_that_postgres_cannot_hold_do_not_stop_the_messages_behind_them(odd: World) -> None:
    deeds.use(odd, backend="puppet", tools='[{"name": "remember"}]')
    poison = await odd.write(json.dumps([{"call": "remember", "with": {"key": "k", "value": "\0"}}]))

    await odd.until("select 1 from messages where tenant_id = %s and id = %s and state in ('answered', 'parked')", poison.message_id)

    assert await odd.say("after it") == "after it"


async def test_context_and_plan_are_the_sessions_and_every_change_is_a_version(live: World) -> None:
    await live.say("remember colour=blue")
    session = await deeds.session_of(live)
    before = live.rows("select context, version from sessions where tenant_id = %s")[0]
    await live.say("plan a; b")
    after = live.rows("select plan, version from sessions where tenant_id = %s")[0]

    assert before["context"] == {"colour": "blue"}
    assert after["plan"] == [{"text": "a", "done": True}, {"text": "b", "done": True}]
    assert after["version"] == before["version"] + 3
    assert await live.say("recall colour", chat="somebody else") == "I remember nothing under colour."
    assert await deeds.session_of(live, "somebody else") != session


async def test_an_unused_session_is_closed_as_expired_stays_readable_and_the_next_message_starts_another(live: World) -> None:
    await live.say("remember colour=blue")
    await live.say("refund 3 to Ada", chat="asking")
    for chat in ("visitor", "asking"):
        await deeds.rests(live, await deeds.session_of(live, chat))
    session = await deeds.session_of(live)
    live.sql.execute("update sessions set last_used_at = now() - interval '31 days' where tenant_id = %s", (live.tenant,))

    assert (await Sweep(live.parts.db, live.parts.pokes, 1.0, timedelta(days=30).total_seconds()).once()) >= 0

    closed = await live.until("select * from sessions where tenant_id = %s and life = 'closed'")
    assert (closed["id"], closed["phase_reason"], closed["context"]) == (session, "expired", {"colour": "blue"})
    assert closed["closed_at"] <= datetime.now(UTC)
    assert deeds.said(live) == ["I will remember that colour = blue."]
    assert await live.say("recall colour") == "I remember nothing under colour."
    assert await deeds.session_of(live) != session
