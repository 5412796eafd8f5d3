"""An approval on the screen: what is asked, of whom, until when, and what came of it."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.text import Text

from cli.output import out
from cli.spans import ago, clock, left
from cli.tables import arguments_in_words, blank, clean, entry, exact, facts, named, one_line

Approval = Mapping[str, Any]
TIMEOUT = {"deny": "denied", "approve": "approved", "cancel": "cancelled"}


def list_entry(seen: Approval) -> None:
    """An approval in a list."""
    details = [seen["id"], f"asked by {asker(seen)} {ago(seen['created_at'])}"]
    if seen["state"] != "pending":
        details.append(f"decided by {decider(seen)}" + (f": {one_line(seen['comment'])}" if seen.get("comment") else ""))
    elif seen.get("votes"):
        details.append(f"{len(seen['votes'])} of {seen['approvers'].get('quorum', 1)} have approved")
    entry(_headline(seen), _standing(seen), details)


def screen(seen: Approval, console: Console = out) -> None:
    """All of an approval that a decision needs: every argument whole."""
    entry(_headline(seen, arguments=False), _standing(seen), [], console)
    blank(console)
    facts([(one_line(name), Text(exact(value), style="bold")) for name, value in seen["arguments"].items()], console, indent=4)
    if seen["arguments"]:
        blank(console)
    facts(_facts(seen), console)


def _facts(seen: Approval) -> list[tuple[str, Text | str | None]]:
    pending = seen["state"] == "pending"
    default = TIMEOUT.get(seen["on_timeout"], seen["on_timeout"])
    return [
        ("context", clean(seen["context"])),
        ("options", "  ".join(exact(option) for option in seen.get("options") or [])),
        ("asked by", f"{asker(seen)}, {ago(seen['created_at'])}"),
        ("decides", approvers_in_words(seen["approvers"])),
        ("votes", "\n".join(_vote(vote, seen) for vote in seen.get("votes") or [])),
        ("otherwise", f"{default} at {clock(seen['deadline_at'])}" if pending else None),
        ("decided by", None if pending else f"{decider(seen)}, {ago(seen['decided_at'])}"),
        ("comment", clean(seen.get("comment") or "")),
        ("answer", exact(seen["answer"]) if seen.get("answer") is not None else None),
        ("carried out", (seen.get("call_state") or "").replace("_", " ") if not pending else None),
        ("result", exact(seen["result"]) if seen.get("result") is not None else None),
        ("session", seen.get("session_id")),
        ("approval", seen["id"]),
        ("sha256", seen["arguments_sha256"]),
        ("in Temporal", seen.get("workflow_id")),
    ]


def approvers_in_words(approvers: Mapping[str, Any]) -> str:
    """Who may decide, as words."""
    names = [one_line("the owner" if name == "owner" else str(name)) for name in approvers.get("of", [])]
    quorum = int(approvers.get("quorum", 1))
    if approvers.get("sequence"):
        return ", then ".join(names)
    if len(names) > 1 and quorum > 1:
        return " and ".join(names) if quorum == len(names) else f"{quorum} of {', '.join(names)}"
    return " or ".join(names)


def outcome(seen: Approval) -> Text:
    """What came of it, as one line: `approved by admin, 3 min ago`."""
    said = named(seen["verdict"]).append(f" by {decider(seen)}, {ago(seen['decided_at'])}")
    return said.append(f": {one_line(seen['comment'])}") if seen.get("comment") else said


def asker(seen: Approval) -> str:
    """Who asked: an agent in a session, or whoever's key it was."""
    return "an agent" if seen["requester"] == seen.get("session_id") else one_line(seen["requester"])


def decider(seen: Approval) -> str:
    """Who decided, by name where it has one."""
    by = seen.get("decided_by_name") or seen.get("decided_by") or "nobody"
    return "the clock" if by == "policy" else one_line(by)


def _headline(seen: Approval, *, arguments: bool = True) -> Text:
    words = f"  {arguments_in_words(seen['arguments'])}" if arguments and seen["arguments"] else ""
    return Text.assemble((one_line(seen["action"]), "bold"), words)


def _standing(seen: Approval) -> Text:
    if seen["state"] == "pending":
        return named("pending").append(f" · {left(seen['deadline_at'])}")
    return named(seen["verdict"]).append(f" · {ago(seen['decided_at'])}")


def _vote(vote: Mapping[str, Any], seen: Approval) -> str:
    by = decider(seen) if vote["by"] == seen.get("decided_by") else clean(vote["by"])
    said = f"{vote['verdict']} by {by}, {ago(vote['at'])}"
    return f"{said}: {one_line(vote['comment'])}" if vote.get("comment") else said
