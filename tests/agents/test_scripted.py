"""The scripted backend: what each command calls and says."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import Call, Called, Heard, Look, Say
from agents.scripted import Scripted, next_step
from agents.scripted_commands import LONGEST_PLAN
from agents.scripted_words import HINT
from tests.agents.looks import called, decided, look, texts, unread


async def told(*heard: str | Heard, **changes: Any) -> list[str]:
    return texts(await Scripted().think(look(*heard, **changes), unread))


def wanted(*heard: str | Heard, **changes: Any) -> tuple[str, dict[str, Any]]:
    step = next_step(look(*heard, **changes))
    assert isinstance(step, Call)
    return step.tool, dict(step.arguments)


@pytest.mark.parametrize(
    ("text", "reply"),
    [
        ("echo hello", "hello"),
        ("  ECHO   hello  world ", "hello  world"),
        ("Echo grüße 🦊 日本語", "grüße 🦊 日本語"),
        ("echo two\nlines", "two\nlines"),
        ("echo echo echo", "echo echo"),
        ("recall colour", "colour = blue"),
        ("recall COLOUR", "colour = blue"),
        ("RECALL age", "age = 5"),
        ("recall list", 'list = ["ä"]'),
        ("recall nothing", "I remember nothing under nothing."),
    ],
)
async def test_answers_without_a_call(text: str, reply: str) -> None:
    assert [reply] == await told(text, context={"colour": "blue", "age": 5.0, "list": ["ä"]})


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("slow 3 hello", ("wait", {"seconds": 3})),
        ("Slow  0.5\thello there", ("wait", {"seconds": 0.5})),
        ("refund 5 to Bob", ("refund", {"amount": 5, "to": "Bob"})),
        ("REFUND  5.0   TO   Bob Smith ", ("refund", {"amount": 5, "to": "Bob Smith"})),
        ("refund 12.50 to Zoë to go", ("refund", {"amount": 12.5, "to": "Zoë to go"})),
        ("refund 0 to Bob", ("refund", {"amount": 0, "to": "Bob"})),
        ("remember colour = dark=blue ", ("remember", {"key": "colour", "value": "dark=blue"})),
        ("plan A; B ;; C", ("set_plan", {"items": ["A", "B", "C"]})),
        ("follow up in 10 seconds: tea", ("follow_up", {"after_seconds": 10, "note": "tea"})),
        ("Follow-up in 2 Hours : tea: green", ("follow_up", {"after_seconds": 7200, "note": "tea: green"})),
        ("followup in 1.5min: x", ("follow_up", {"after_seconds": 90, "note": "x"})),
        ("follow up in 10s: x", ("follow_up", {"after_seconds": 10, "note": "x"})),
    ],
)
def test_calls_a_tool(text: str, call: tuple[str, dict[str, Any]]) -> None:
    assert call == wanted(text)


@pytest.mark.parametrize(
    "text",
    [
        *("echo", "slow", "slow 3", "slow abc", "slow abc x", "slow -1 x", "slow 3601 x", "slow 1e3 x", "slow nan x"),
        *("refund", "refund x to", "refund x to Bob", "refund 5", "refund 5 to", "refund to Bob", "refund -5 to Bob"),
        *("refund 1,000 to Bob", "refund 1000000.01 to Bob", "refund inf to Bob", "refund ٥ to Bob", f"refund 5 to {'x' * 201}"),
        *("remember", "remember x", "remember x=", "remember =x", "recall", "plan", "plan ;;", "plan " + "x;" * (LONGEST_PLAN + 1)),
        *("follow up", "follow up in 5: x", "follow up in x seconds: y", "follow up in 5 seconds:", "follow up in 0 seconds: x"),
        *("follow up in 5 fortnights: x", "follow up in 366 days: x", "follow up in 1.2.3 seconds: x", "follow up 5 seconds: x"),
    ],
)
async def test_tells_the_right_form(text: str) -> None:
    [reply] = await told(text)

    assert reply.startswith("Write it like this: ")


@pytest.mark.parametrize("text", ["hello", "echoes", "refunds 5 to Bob", "please refund 5 to Bob", "/start", "?"])
async def test_echoes_anything_else_with_a_hint(text: str) -> None:
    assert [f"{text}\n\n{HINT}"] == await told(text)


@pytest.mark.parametrize("text", ["", "  \n "])
async def test_answers_an_empty_message_with_the_hint(text: str) -> None:
    assert await told(text) == [HINT]


async def test_a_note_from_a_member_is_treated_like_text() -> None:
    assert await told(Heard(seq=1, kind="note", text="echo hello")) == ["hello"]


async def test_a_timer_tells_its_note_and_runs_no_command() -> None:
    assert await told(Heard(seq=1, kind="timer", text="refund 5 to Bob")) == ["You asked me to come back to this: refund 5 to Bob"]


async def test_tells_what_was_done() -> None:
    assert await told("slow 3 hello", calls=(called(1, "wait"),)) == ["hello"]
    assert await told("remember k=v", calls=(called(1, "remember"),)) == ["I will remember that k = v."]
    assert await told("follow up in 1 min: tea", calls=(called(1, "follow_up"),)) == ["I will come back to you in 1 minute: tea"]
    [paid] = await told("refund 0 to Bob", calls=(called(1, "refund"),))
    assert re.search(r"\bapproved\b.*\bpaid\b", paid)
    assert " 0 " in paid


async def test_a_waiting_refund_names_the_approval_and_whom_was_asked() -> None:
    [reply] = await told("refund 5 to Bob", calls=(called(1, "refund", "waiting", asked="the owner", approval_id="apr_7"),))

    assert "the owner" in reply
    assert "apr_7" in reply
    assert "5" in reply
    assert not re.search("approved|denied|expired|cancelled", reply)


@pytest.mark.parametrize("result", ["too much", {"reason": "too much"}, {"error": "too much"}])
async def test_a_refund_denied_at_once_says_why(result: Any) -> None:
    assert await told("refund 5 to Bob", calls=(called(1, "refund", "denied", result=result),)) == [
        "The refund of 5 to Bob was denied at once: too much"
    ]


async def test_a_failed_and_an_unknown_call_are_told_as_such() -> None:
    assert await told("refund 5 to Bob", calls=(called(1, "refund", "failed"),)) == ["The refund of 5 to Bob could not be done."]
    [unknown] = await told("refund 5 to Bob", calls=(called(1, "refund", "unknown"),))
    assert "cannot tell" in unknown


@pytest.mark.parametrize("word", ["approved", "denied", "expired", "cancelled"])
async def test_a_verdict_is_told_with_word_amount_and_comment(word: str) -> None:
    [reply] = await told(decided(word, comment="fine by me"))

    assert [word] == re.findall("approved|denied|expired|cancelled", reply)
    assert " 5 " in reply
    assert "fine by me" in reply


async def test_an_approved_refund_that_failed_is_not_called_paid() -> None:
    [reply] = await told(decided("approved", failed=True, result={"error": "no money"}))

    assert reply == "The refund of 5 to Bob was approved, but could not be done: no money"


async def test_several_messages_are_answered_one_by_one_in_order() -> None:
    batch = ("echo a", "refund 1 to x", "slow 2 b", "refund 3 to y")
    asked = called(1, "refund", "waiting", approval_id="apr_1")
    waited = called(2, "wait")
    paid = called(3, "refund")

    assert wanted(*batch) == ("refund", {"amount": 1, "to": "x"})
    assert wanted(*batch, calls=(asked,)) == ("wait", {"seconds": 2})
    assert wanted(*batch, calls=(asked, waited)) == ("refund", {"amount": 3, "to": "y"})
    step = next_step(look(*batch, calls=(paid, waited, asked)))
    assert isinstance(step, Say)
    assert [reply.answers for reply in step.replies] == [(1,), (2,), (3,), (4,)]
    assert "apr_1" in step.replies[1].text
    assert "paid" in step.replies[3].text


async def test_works_through_a_plan() -> None:
    calls: tuple[Called, ...] = (called(1, "set_plan"),)
    for index in range(3):
        assert wanted("plan A; B; C", calls=calls) == ("check_plan", {"index": index})
        calls += (called(len(calls) + 1, "check_plan"),)

    assert await told("plan A; B; C", calls=calls) == ["The plan is finished:\n✓ A\n✓ B\n✓ C"]


async def test_a_plan_that_waits_is_worked_through_once_it_is_approved() -> None:
    [reply] = await told("plan A; B", calls=(called(1, "set_plan", "waiting", asked="the owner", approval_id="apr_2"),))
    assert "The plan “A; B”" in reply
    assert "apr_2" in reply

    verdict = decided("approved", "set_plan", arguments={"items": ["A", "B"]})
    assert wanted(verdict) == ("check_plan", {"index": 0})
    [reply] = await told(verdict, calls=(called(1, "check_plan"), called(2, "check_plan")))
    assert reply == "The plan “A; B” was approved and done. The plan is finished:\n✓ A\n✓ B"


async def test_where_every_step_is_asked_an_approved_step_leads_to_the_next() -> None:
    plan = ({"text": "A", "done": True}, {"text": "B", "done": False})
    verdict = decided("approved", "check_plan", arguments={"index": 0})

    assert wanted(verdict, plan=plan) == ("check_plan", {"index": 1})
    [reply] = await told(verdict, plan=plan, calls=(called(1, "check_plan", "waiting", approval_id="apr_3"),))
    assert "apr_3" in reply


async def test_a_denied_plan_is_not_worked_through() -> None:
    assert "denied" in (await told(decided("denied", "set_plan", arguments={"items": ["A"]})))[0]


COMMANDS = st.sampled_from(
    ["echo a", "slow 0 b", "refund 1 to x", "refund x to", "remember a=b", "recall a", "plan A; B", "follow up in 5 seconds: n", "hi"]
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["amount", "to", "items", "index", "key", "value", "note", "seconds"]),
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9), lambda inner: st.lists(inner, max_size=2)),
)
TOOLS = st.sampled_from(["refund", "set_plan", "check_plan", "remember", "wait", "follow_up", "else", ""])
VERDICTS = st.builds(
    decided,
    st.sampled_from(["approved", "denied", "expired", "cancelled"]),
    TOOLS,
    arguments=ARGUMENTS,
    comment=st.text(max_size=9),
    failed=st.booleans(),
    result=ARGUMENTS | st.text(max_size=9),
    answer=st.none() | st.text(max_size=9),
)
HEARD = st.lists(
    COMMANDS | st.text(max_size=40) | VERDICTS | st.builds(Heard, seq=st.just(0), kind=st.sampled_from(["timer", "note"]), text=st.text()),
    max_size=6,
)
STATES = st.sampled_from(["waiting", "denied", "done", "failed", "unknown"])


@settings(deadline=None)
@given(HEARD, st.data())
def test_every_turn_ends_with_one_reply_to_each_message_in_order(heard: list[str | Heard], data: st.DataObject) -> None:
    numbered = [item if isinstance(item, str) else item.model_copy(update={"seq": seq}) for seq, item in enumerate(heard, 1)]
    seen: Look = look(*numbered, plan=({"text": "A"}, {"text": "B"}))
    for n in range(1, 200):
        step = next_step(seen)
        assert step == next_step(seen.model_copy(deep=True))
        if isinstance(step, Say):
            break
        made = called(n, step.tool, data.draw(STATES), arguments=step.arguments, result=data.draw(ARGUMENTS | st.text(max_size=5)))
        seen = seen.model_copy(update={"calls": (*seen.calls, made)})

    assert isinstance(step, Say)
    assert [(seq,) for seq in range(1, len(heard) + 1)] == [reply.answers for reply in step.replies]
    assert all(reply.text.strip() for reply in step.replies)


@settings(deadline=None)
@given(st.lists(COMMANDS, min_size=1, max_size=4), COMMANDS)
def test_a_message_that_comes_during_the_turn_changes_no_earlier_step(heard: list[str], late: str) -> None:
    seen = look(*heard)
    while isinstance(step := next_step(seen), Call):
        assert step == next_step(look(*heard, late, calls=seen.calls))
        seen = seen.model_copy(update={"calls": (*seen.calls, called(len(seen.calls) + 1, step.tool))})
