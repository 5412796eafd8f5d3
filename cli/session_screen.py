"""A session on the screen: how it stands, what it remembers, and its history as a conversation."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.text import Text

from cli.output import out
from cli.spans import ago, clock, when
from cli.tables import arguments_in_words, blank, clean, entry, exact, facts, named, one_line, paragraph

Session = Mapping[str, Any]
DONE, OPEN = "✓", "·"
LONGEST_WHO = 8
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
    return Text.assemble((one_line(seen["agent"]), "bold"), f"  {seen['mode']}")


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


def history(items: Sequence[Mapping[str, Any]], agent: str) -> None:
    """What happened, day by day: the time, who it was, and what was said or done."""
    name, day = one_line(agent), ""
    indent = max(len(name), LONGEST_WHO)
    for item in items:
        if (who_and_what := _told(item, name)) is None:
            continue
        (who, style), what = who_and_what
        at = when(item["at"]).astimezone()
        if day != (day := f"{at:%A}, {at.day} {at:%B %Y}"):
            out.print(Text(day, style="dim"))
        paragraph(Text.assemble((f"{at:%H:%M}  ", "dim"), (f"{who:<{indent}}  ", style)), what)


Told = tuple[tuple[str, str], Text]


def _told(item: Mapping[str, Any], agent: str) -> Told | None:
    match item["kind"]:
        case "message":
            return _message(item["message"], agent)
        case "call" if item.get("call"):
            return _call(item["call"])
        case "approval":
            return _approval(item["id"], item["approval"])
        case _:
            return None  # the end of a turn: what was said is there as a message


def _message(message: Mapping[str, Any], agent: str) -> Told:
    inbound = message["direction"] == "inbound"
    who = WHO.get(message["kind"], "visitor") if inbound else agent
    text = clean(message["text"])
    if message["kind"] == "verdict" and message.get("approval_id"):
        text = f"{text} {message['approval_id']}".strip()
    state = "" if message["state"] in ("answered", "sent", "delivered", "read") else f"  ({message['state']})"
    again = "  (may be a repetition)" if message.get("resend_of") else ""
    return (who, "cyan" if inbound else "bold"), Text.assemble(text, (f"{state}{again}", "yellow"))


def _call(call: Mapping[str, Any]) -> Told:
    result = f" → {one_line(exact(call['result']))}" if call.get("result") is not None else ""
    words = f"{one_line(call['tool'])}({arguments_in_words(call['arguments'])})"
    return ("tool", "magenta"), Text.assemble(words, "  ", named(call["state"]), (result, "dim"))


def _approval(id_: str, approval: Mapping[str, Any]) -> Told:
    outcome = named(approval["verdict"] or approval["state"])
    return ("asked", "yellow"), Text.assemble(f"{one_line(approval['action'])}  ", outcome, (f"  {id_}", "dim"))
