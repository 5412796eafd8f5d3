"""The four modes: answer once, work with people, plan first, ask about every step."""

from tests.journeys import deeds
from tests.world import World

CALLS = "select tool, gate, state from calls where tenant_id = %s order by turn, n"


async def test_one_shot_answers_closes_as_completed_and_the_next_message_gets_another_session(live: World) -> None:
    deeds.use(live, mode="one-shot")
    assert await live.say("echo once") == "once"
    first = await deeds.session_of(live)
    await live.until("select 1 from sessions where tenant_id = %s and id = %s and life = 'closed' and phase_reason = 'completed'", first)

    assert await live.say("echo twice") == "twice"

    assert await deeds.session_of(live) != first
    assert len(live.rows("select 1 from sessions where tenant_id = %s")) == 2


async def test_one_shot_with_an_approval_stays_until_the_outcome_is_told(live: World) -> None:
    deeds.use(live, mode="one-shot")
    await live.say("refund 5 to Bo")
    approval = await live.pending_approval()
    assert live.rows("select life from sessions where tenant_id = %s") == [{"life": "open"}]

    await deeds.decide(live, approval["id"], "approved")

    await live.until("select 1 from sessions where tenant_id = %s and life = 'closed' and phase_reason = 'completed'")
    assert "approved" in deeds.said(live)[-1]
    assert len(live.rows("select 1 from demo_refunds where tenant_id = %s")) == 1


async def test_one_shot_keeps_its_word_about_a_follow_up_before_it_closes(live: World) -> None:
    deeds.use(live, mode="one-shot")
    await live.say("follow up in 1 second: promised")

    await live.until("select 1 from sessions where tenant_id = %s and life = 'closed'")

    assert deeds.said(live)[-1] == "You asked me to come back to this: promised"


async def test_what_was_written_while_one_shot_was_busy_is_answered_by_another_session(live: World) -> None:
    deeds.use(live, mode="one-shot")
    slow = await live.write("slow 1 first")
    await deeds.running_call(live)
    later = await live.write("echo second")

    assert [await live.answer(message) for message in (slow, later)] == ["first", "second"]
    assert len(live.rows("select 1 from sessions where tenant_id = %s")) == 2


async def test_copilot_asks_only_before_what_is_risky(live: World) -> None:
    await live.say("remember a=1")
    await live.say("refund 0 to Ada")
    await live.say("refund 1 to Ada")

    assert [(row["tool"], row["gate"]) for row in live.rows(CALLS)] == [("remember", "run"), ("refund", "run"), ("refund", "ask")]


async def test_planning_control_denies_tools_before_a_plan_is_approved_and_works_through_it_afterwards(live: World) -> None:
    deeds.use(live, mode="planning-control")
    denied = await live.say("remember a=1")
    assert "denied at once" in denied
    assert "asked the owner" in await live.say("plan shop; cook; eat")
    assert live.rows("select plan, plan_approved from sessions where tenant_id = %s") == [{"plan": [], "plan_approved": False}]

    approval = await live.pending_approval()
    await deeds.decide(live, approval["id"], "approved")

    await live.until('select 1 from sessions where tenant_id = %s and plan @> \'[{"text": "eat", "done": true}]\'')
    verdict = await live.until("select id from messages where tenant_id = %s and kind = 'verdict'")
    assert "The plan is finished" in await live.answer(verdict["id"])
    assert live.rows("select plan from sessions where tenant_id = %s")[0]["plan"] == [
        {"text": item, "done": True} for item in ("shop", "cook", "eat")
    ]
    assert await live.say("remember a=1") == "I will remember that a = 1."


async def test_planning_control_asks_again_about_another_plan(live: World) -> None:
    deeds.use(live, mode="planning-control")
    await live.say("plan a; b")
    await deeds.decide(live, (await live.pending_approval())["id"], "approved")
    await live.until('select 1 from sessions where tenant_id = %s and plan_approved and plan @> \'[{"text": "b", "done": true}]\'')

    assert "asked the owner" in await live.say("plan something; else")

    assert live.rows("select plan from sessions where tenant_id = %s")[0]["plan"][0]["text"] == "a"


async def test_a_denied_plan_leaves_the_tools_denied(live: World) -> None:
    deeds.use(live, mode="planning-control")
    await live.say("plan a; b")
    await deeds.decide(live, (await live.pending_approval())["id"], "denied", comment="too vague")
    verdict = await live.until("select id from messages where tenant_id = %s and kind = 'verdict'")

    assert "too vague" in await live.answer(verdict["id"])
    assert "denied at once" in await live.say("remember a=1")


async def test_hitl_interactive_asks_about_every_tool(live: World) -> None:
    deeds.use(live, mode="hitl-interactive")
    asked = [await live.say(text) for text in ("remember a=1", "refund 0 to Ada", "slow 1 x", "plan a; b", "follow up in 9 days: x")]

    assert all("asked the owner" in answer for answer in asked)
    assert {(row["gate"], row["state"]) for row in live.rows(CALLS)} == {("ask", "waiting")}
    newest = await live.pending_approval()
    await deeds.decide(live, newest["id"], "approved")
    await live.until("select 1 from messages where tenant_id = %s and kind = 'timer' and state = 'pending'")


async def test_an_agents_rule_that_denies_wins_in_every_mode(live: World) -> None:
    for mode in ("copilot", "hitl-interactive"):
        deeds.use(
            live, mode=mode, tools='[{"name": "refund", "rules": [{"gate": "run"}, {"gate": "deny", "when": {"argument": "amount", "above": 100}}]}]'
        )
        assert "denied at once" in await live.say("refund 101 to Ada", chat=mode)
    assert live.rows("select 1 from approvals where tenant_id = %s") == []
