"""What the scripted backend understands: each command's form, the calls it makes, and what it says in the end."""

import re
from collections.abc import Callable, Generator
from decimal import Decimal
from typing import assert_never

from agents import Call, Called, Heard, Json, Look, Verdict
from agents.scripted_words import (
    HINT,
    amount_in_words,
    finished_plan,
    follow_up_set,
    outcome_of_call,
    outcome_of_verdict,
    recalled,
    value_in_words,
)

Script = Generator[Call, Called, str]
Rule = Callable[[str, Look], Script]

LARGEST_AMOUNT = 1_000_000
LONGEST_WAIT = 3600
LONGEST_FOLLOW_UP = 365 * 86_400
LONGEST_PLAN = 12
"""Each item is a step of the turn, and a turn has only so many."""

_NUMBER = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")
_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
_SHORT_UNITS = {"s": "second", "sec": "second", "m": "minute", "min": "minute", "h": "hour", "d": "day"}
_FOLLOW_UP = re.compile(r"in\s+([0-9.]+)\s*([a-z]+?)s?\s*:\s*(\S.*)", re.IGNORECASE | re.DOTALL)


def script_for(heard: Heard, look: Look) -> Script:
    """The script that answers one message."""
    match heard.kind:
        case "text" | "note":
            return _command(heard.text, look)
        case "timer":
            return _say(f"You asked me to come back to this: {heard.text.strip() or 'nothing in particular.'}")
        case "verdict" if heard.approval is not None:
            return _after_verdict(heard.approval, look)
        case "verdict":
            return _say(heard.text.strip() or "A decision came in, but it does not say on what.")
        case _:
            assert_never(heard.kind)


def _command(text: str, look: Look) -> Script:
    words = text.strip()
    for verb, rule in _RULES.items():
        found = re.match(verb + r"(?:\s+|\Z)", words, re.IGNORECASE)
        if found:
            return rule(words[found.end() :].strip(), look)
    return _say(f"{words}\n\n{HINT}" if words else HINT)


def _say(text: str) -> Script:
    """A script without calls."""
    return text
    yield


def _echo(rest: str, look: Look) -> Script:
    return _say(rest or "Write it like this: echo WORDS, for example “echo hello”.")


def _slow(rest: str, look: Look) -> Script:
    number, words = [*rest.split(None, 1), "", ""][:2]
    seconds = _number(number, LONGEST_WAIT)
    if seconds is None or not words:
        return _say(f"Write it like this: slow SECONDS WORDS, with 0 to {LONGEST_WAIT} seconds, for example “slow 3 hello”.")
    return _one_call("wait", {"seconds": seconds}, lambda called: words)


def _refund(rest: str, look: Look) -> Script:
    found = re.fullmatch(r"(\S+)\s+to\s+(\S.*)", rest, re.IGNORECASE | re.DOTALL)
    amount = _number(found[1], LARGEST_AMOUNT) if found else None
    if found is None or amount is None or len(found[2]) > 200:
        return _say(f"Write it like this: refund AMOUNT to NAME, with 0 to {LARGEST_AMOUNT}, for example “refund 12.50 to Ada”.")
    to = found[2].strip()
    paid = f"The refund of {amount_in_words(amount)} to {to} was approved and paid at once; it needed nobody's word."
    return _one_call("refund", {"amount": amount, "to": to}, lambda called: paid)


def _remember(rest: str, look: Look) -> Script:
    key, sign, value = (part.strip() for part in rest.partition("="))
    if not (key and sign and value):
        return _say("Write it like this: remember KEY=VALUE, for example “remember colour=blue”.")
    return _one_call("remember", {"key": key, "value": value}, lambda called: f"I will remember that {key} = {value}.")


def _recall(rest: str, look: Look) -> Script:
    return _say(recalled(rest, look.context) if rest else "Write it like this: recall KEY, for example “recall colour”.")


def _plan(rest: str, look: Look) -> Script:
    items = [item.strip() for item in rest.split(";") if item.strip()]
    if not 1 <= len(items) <= LONGEST_PLAN:
        return _say(f"Write it like this: plan A; B; C, with 1 to {LONGEST_PLAN} items, for example “plan shop; cook; eat”.")
    return _whole_plan(items)


def _whole_plan(items: list[str]) -> Script:
    call = Call(tool="set_plan", arguments={"items": items})
    called = yield call
    if called.state != "done":
        return outcome_of_call(called, call)
    return (yield from _work_through(items, 0))


def _work_through(items: list[str], first: int) -> Script:
    """Check the plan's items off from the one numbered `first`; stop where one is not done."""
    for index in range(first, len(items)):
        call = Call(tool="check_plan", arguments={"index": index})
        called = yield call
        if called.state != "done":
            return f"I am at “{items[index]}” of the plan. {outcome_of_call(called, call)}"
    return finished_plan(items)


def _follow_up(rest: str, look: Look) -> Script:
    wrong = "Write it like this: follow up in N seconds: NOTE (or minutes, hours, days, up to a year)."
    if not (found := _FOLLOW_UP.fullmatch(rest)):
        return _say(wrong)
    unit = _SHORT_UNITS.get(found[2].lower(), found[2].lower())
    number = _number(found[1], LONGEST_FOLLOW_UP)
    after = number * _UNITS[unit] if number and unit in _UNITS else 0
    if not 0 < after <= LONGEST_FOLLOW_UP:
        return _say(wrong)
    note, span = found[3].strip(), f"{value_in_words(number)} {unit}{'' if number == 1 else 's'}"
    return _one_call("follow_up", {"after_seconds": after, "note": note}, lambda called: follow_up_set(span, note))


def _one_call(tool: str, arguments: dict[str, Json], done: Callable[[Called], str]) -> Script:
    """Make one call; say `done` of it when it was carried out, and what became of it otherwise."""
    call = Call(tool=tool, arguments=arguments)
    called = yield call
    return done(called) if called.state == "done" else outcome_of_call(called, call)


def _after_verdict(verdict: Verdict, look: Look) -> Script:
    """Tell the outcome; an approved plan, or an approved item of one, is worked on."""
    told = outcome_of_verdict(verdict)
    carried_out = verdict.verdict == "approved" and not verdict.failed
    match verdict.tool:
        case "set_plan" if carried_out and isinstance(items := verdict.arguments.get("items"), list | tuple):
            return _go_on(told, [str(item) for item in items][:LONGEST_PLAN], 0)
        case "check_plan" if carried_out and isinstance(index := verdict.arguments.get("index"), int):
            items = [str(item.get("text", "")) for item in look.plan]
            return _go_on(told, items, index + 1) if 0 <= index < len(items) else _say(told)
        case _:
            return _say(told)


def _go_on(told: str, items: list[str], first: int) -> Script:
    return f"{told} {(yield from _work_through(items, first))}"


def _number(text: str, largest: int) -> int | float | None:
    """A plain non-negative number up to `largest`, whole numbers as int; None for anything else."""
    if not _NUMBER.fullmatch(text) or (number := Decimal(text)) > largest:
        return None
    return int(number) if number == int(number) else float(number)


_RULES: dict[str, Rule] = {
    "echo": _echo,
    "slow": _slow,
    "refund": _refund,
    "remember": _remember,
    "recall": _recall,
    "plan": _plan,
    r"follow[\s-]*up": _follow_up,
}
