"""A session on the screen: how it stands, what it remembers, and its history as a conversation."""

from collections.abc import Iterator, Mapping
from typing import Any

from rich.text import Text

from cli.output import out
from cli.spans import ago, clock
from cli.tables import arguments_in_words, blank, clean, entry, exact, facts, named, paragraph

Session = Mapping[str, Any]
DONE, OPEN = "✓", "·"
WHO = {"timer": "later", "verdict": "decision", "note": "member"}
"""Who speaks in a message that nobody wrote in the chat."""


def list_entry(seen: Session) -> None:
    """A session in a list."""
    turns = f"{seen['turn']} turn{'s' * (seen['turn'] != 1)}"
    entry(_headline(seen), _standing(seen), [seen["id"], f"started {ago(seen['created_at'])}", turns, _progress(seen)])


def screen(seen: Session) -> None:
    """All of a session but its history."""
    entry(_headline(seen), _standing(seen), [])
    blank()
    facts([
        ("started", f"{ago(seen['created_at'])}, {clock(seen['created_at'])}"),
        ("turns", str(seen["turn"])),
        ("closed", ago(seen["closed_at"]) if seen.get("closed_at") else None),
        ("plan", Text("\n").join(_plan(seen))),
        ("context", "\n".join(f"{clean(name)} = {exact(value)}" for name, value in seen["context"].items())),
        ("version", str(seen["version"])),
        ("conversation", seen.get("conversation_id")),
        ("session", seen["id"]),
        ("in Temporal", seen["workflow_id"]),
    ])  # fmt: skip


def _headline(seen: Session) -> Text:
    return Text.assemble((clean(seen["agent"]), "bold"), f"  {seen['mode']}")


def _standing(seen: Session) -> Text:
    reason = f" ({seen['phase_reason']})" if seen.get("phase_reason") else ""
    return named(seen["phase"]).append(f"{reason} · {ago(seen['last_used_at'])}")


def _progress(seen: Session) -> str:
    items = seen["plan"]
    return f"{sum(bool(item.get('done')) for item in items)} of {len(items)} of its plan" if items else ""


def _plan(seen: Session) -> Iterator[Text]:
    for item in seen["plan"]:
        done = bool(item.get("done"))
        yield Text.assemble((f"{DONE} ", "green") if done else (f"{OPEN} ", "dim"), clean(str(item.get("text", ""))))


def told(item: Mapping[str, Any], agent: str) -> None:
    """One thing of a history: who said or did what, with its time at the left."""
    match item["kind"]:
        case "message":
            _message(item["at"], item["message"], agent)
        case "call" if item.get("call"):
            _call(item["at"], item["call"])
        case "approval":
            _approval(item["at"], item["id"], item["approval"])
        case _:
            return  # the end of a turn: what was said is there as a message


def _message(at: str, message: Mapping[str, Any], agent: str) -> None:
    inbound = message["direction"] == "inbound"
    who = WHO.get(message["kind"], "visitor") if inbound else agent
    text = clean(message["text"])
    if message["kind"] == "verdict" and message.get("approval_id"):
        text = f"{text} {message['approval_id']}".strip()
    state = "" if message["state"] in ("answered", "sent", "delivered", "read") else f"  ({message['state']})"
    again = "  (may be a repetition)" if message.get("resend_of") else ""
    _line(at, Text.assemble((f"{who}  ", "cyan" if inbound else "bold"), text, (f"{state}{again}", "yellow")))


def _call(at: str, call: Mapping[str, Any]) -> None:
    result = f" → {exact(call['result'])}" if call.get("result") is not None else ""
    words = f"{clean(call['tool'])}({arguments_in_words(call['arguments'])})"
    _line(at, Text.assemble(("tool  ", "magenta"), words, "  ", named(call["state"]), (result, "dim")))


def _approval(at: str, id_: str, approval: Mapping[str, Any]) -> None:
    verdict = approval["verdict"] or approval["state"]
    _line(at, Text.assemble(("asked  ", "yellow"), f"{clean(approval['action'])}  ", named(verdict), (f"  {id_}", "dim")))


def _line(at: str, said: Text) -> None:
    paragraph(Text(f"{clock(at)}  ", style="dim"), said, out)
