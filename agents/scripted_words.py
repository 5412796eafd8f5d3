"""The sentences of the scripted backend. The sentence of a gate's verdict holds exactly one of approved, denied, expired, cancelled."""

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import assert_never

from agents import Call, Called, Json, Verdict

HINT = (
    "I am a program with a fixed set of commands. Try: echo WORDS · slow SECONDS WORDS · refund AMOUNT to NAME · "
    "remember KEY=VALUE · recall KEY · plan A; B; C · follow up in N seconds: NOTE"
)

_LONGEST_QUOTE = 300
_TOO_LARGE = 10**15


def amount_in_words(amount: Json) -> str:
    """A number as people write it: 5, 12.5, never 5.0 or 1e-05; anything else as it is."""
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return value_in_words(amount)
    if not -_TOO_LARGE < amount < _TOO_LARGE:
        return "a number out of range"
    number = Decimal(str(amount))
    return str(int(number)) if number == int(number) else format(number, "f")


def value_in_words(value: Json) -> str:
    """A JSON value as a person reads it: text bare, numbers plain, the rest as JSON."""
    match value:
        case str():
            return value
        case bool() | None:
            return json.dumps(value)
        case int() | float():
            return amount_in_words(value)
        case _:
            return json.dumps(value, ensure_ascii=False, default=str)


def recalled(key: str, context: Mapping[str, Json]) -> str:
    """What is remembered under a key; capitals do not matter where no key is written exactly so."""
    known = next((name for name in (key, *context) if name in context and name.casefold() == key.casefold()), None)
    if known is None:
        return f"I remember nothing under {key}."
    return f"{known} = {value_in_words(context[known])}"


def finished_plan(items: Sequence[str]) -> str:
    """The plan with every item checked off."""
    return "\n".join(["The plan is finished:", *(f"✓ {item}" for item in items)])


def follow_up_set(after: str, note: str) -> str:
    """That a follow-up was set; `after` is a span in words."""
    return f"I will come back to you in {after}: {note}"


def outcome_of_call(called: Called, call: Call) -> str:
    """What became of a call, for the person who waits for it."""
    what = _described(call.tool, call.arguments)
    match called.state:
        case "waiting":
            asked = called.asked or "those who may decide"
            approval = f" ({called.approval_id})" if called.approval_id else ""
            return f"{what} needs a human's word first. I asked {asked} for approval{approval}. We can go on talking; I will tell you."
        case "denied":
            return f"{what} was denied at once{_because(called.result)}"
        case "failed":
            return f"{what} could not be done{_because(called.result)}"
        case "unknown":
            return f"I cannot tell whether this was carried out: {what}. A human was asked to look."
        case "done":
            return f"{what} is done."
        case _:
            assert_never(called.state)


def outcome_of_verdict(verdict: Verdict) -> str:
    """What a human, or the clock, decided, and what was done then."""
    what = _described(verdict.tool, verdict.arguments)
    if verdict.purpose == "outcome":
        return _found_out(what, verdict)
    match verdict.verdict:
        case "approved" if verdict.uncertain:
            told = f"{what} was approved, but broke off: nobody knows yet whether it was done. A human was asked to look."
        case "approved" if verdict.failed:
            told = f"{what} was approved, but could not be done{_because(verdict.result)}"
        case "approved":
            told = f"{what} was approved and {'paid' if verdict.tool == 'refund' else 'done'}."
        case "denied":
            told = f"{what} was denied; nothing was done."
        case "expired":
            told = f"{what} expired before anyone decided; nothing was done."
        case "cancelled":
            told = f"{what} was cancelled; nothing was done."
        case _:
            assert_never(verdict.verdict)
    if verdict.answer is not None:
        told += f" The answer: {_short(value_in_words(verdict.answer))}"
    return f"{told} Comment: “{_short(verdict.comment.strip())}”" if verdict.comment.strip() else told


def _found_out(what: str, verdict: Verdict) -> str:
    """What a human, or the call itself at last, said of a call that broke off."""
    if verdict.verdict != "approved" or verdict.answer not in ("done", "not done"):
        return f"{what} broke off, and nobody said what became of it; please look before you repeat it."
    said = "was done after all" if verdict.answer == "done" else "was not done"
    return f"{what} broke off, and it turned out that it {said}."


def _described(tool: str, arguments: Mapping[str, Json]) -> str:
    """A call in words that begin a sentence."""
    match tool, dict(arguments):
        case "refund", {"amount": amount, "to": to}:
            return f"The refund of {amount_in_words(amount)} to {value_in_words(to)}"
        case "set_plan", {"items": [*items]}:
            return f"The plan “{_short('; '.join(value_in_words(item) for item in items))}”"
        case "check_plan", {"index": int(index)}:
            return f"Step {index + 1}"
        case "remember", {"key": key, "value": value}:
            return f"Remembering {value_in_words(key)} = {_short(value_in_words(value))}"
        case "wait", {"seconds": seconds}:
            return f"Waiting {amount_in_words(seconds)} seconds"
        case "follow_up", {"note": note}:
            return f"The follow-up “{_short(value_in_words(note))}”"
        case _:
            listed = ", ".join(f"{name} {_short(value_in_words(value))}" for name, value in arguments.items())
            return f"The step {tool or 'asked for'}{f' ({listed})' if listed else ''}"


def _because(result: Json) -> str:
    """The end of a sentence: the reason a result gives, or just a full stop."""
    if isinstance(result, Mapping):
        result = next((result[key] for key in ("reason", "error", "detail", "message") if result.get(key)), None)
    return f": {_short(value_in_words(result))}" if result else "."


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
