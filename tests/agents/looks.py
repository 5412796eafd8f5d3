"""Looks for tests: everything but what a test is about has a plain default."""

from datetime import UTC, datetime
from typing import Any

from agents import Called, Heard, Look, Say, Thought, Verdict

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def look(*texts: str | Heard, **changes: Any) -> Look:
    """A look at a batch of texts, numbered from 1."""
    batch = tuple(text if isinstance(text, Heard) else Heard(seq=seq, kind="text", text=text, sender="Ada") for seq, text in enumerate(texts, 1))
    plain: dict[str, Any] = {
        "agent": "demo",
        "persona": "",
        "model": "",
        "mode": "copilot",
        "language": "en",
        "now": NOW,
        "batch": batch,
        "transcript": (),
        "calls": (),
        "context": {},
        "plan": (),
        "tools": (),
    }
    return Look(**(plain | changes))


def called(n: int, tool: str, state: str = "done", **changes: Any) -> Called:
    """A call made earlier in the turn."""
    plain: dict[str, Any] = {"n": n, "call_id": f"cal_{n}", "tool": tool, "arguments": {}, "state": state}
    return Called(**(plain | changes))


def decided(verdict: str, tool: str = "refund", seq: int = 1, **changes: Any) -> Heard:
    """A verdict row of the batch."""
    plain: dict[str, Any] = {"approval_id": "apr_1", "verdict": verdict, "tool": tool, "arguments": {"amount": 5, "to": "Bob"}}
    return Heard(seq=seq, kind="verdict", text="", approval=Verdict(**(plain | changes)))


def texts(thought: Thought) -> list[str]:
    """The replies of a step that ends the turn."""
    assert isinstance(thought.step, Say)
    return [reply.text for reply in thought.step.replies]


async def unread(text: str) -> None:
    """A stream that nobody reads."""
