"""Sessions: what a look at one shows, and which step follows from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from domain.messages import Frozen

Mode = Literal["one-shot", "copilot", "planning-control", "hitl-interactive"]
Phase = Literal["active", "idle", "awaiting_approval", "suspended", "handed_off", "closed"]
MODES: Mapping[Mode, Mapping[str, Any]] = {
    "one-shot": {"title": "Answers once, then closes", "supports_resume": False, "supports_hitl": True},
    "copilot": {"title": "Works with people; asks before risky actions", "supports_resume": True, "supports_hitl": True},
    "planning-control": {"title": "Its plan is approved first", "supports_resume": True, "supports_hitl": True},
    "hitl-interactive": {"title": "Every step is asked", "supports_resume": True, "supports_hitl": True},
}


class AgentSeen(Frozen):
    """The agent as it is at the moment of a look."""

    id: str
    name: str
    persona: str
    backend: str
    model: str
    language: str
    tools: tuple[Mapping[str, Any], ...]


class OpenCall(Frozen):
    """A call that is not over: `asked_outcome` says that a human was asked what became of it."""

    id: str
    state: str
    gate: str
    sha256: str
    asked_outcome: bool


class Asked(Frozen):
    """An approval that a verdict row of the batch is about, with its call."""

    approval_id: str
    purpose: str
    verdict: Literal["approved", "denied", "expired", "cancelled"]
    comment: str
    answer: Any
    tool: str
    arguments: Mapping[str, Any]
    result: Any
    call: OpenCall


class Line(Frozen):
    """A message of the batch."""

    id: str
    seq: int
    kind: Literal["text", "timer", "verdict", "note"]
    text: str
    sender: str
    asked: Asked | None


class PastLine(Frozen):
    """A message of the transcript."""

    seq: int
    direction: Literal["inbound", "outbound"]
    text: str
    at: datetime


class TurnCall(Frozen):
    """A call made earlier in the open turn."""

    id: str
    n: int
    tool: str
    arguments: Mapping[str, Any]
    gate: str
    state: str
    sha256: str
    result: Any
    asked: str
    approval_id: str | None
    asked_outcome: bool


class Sight(Frozen):
    """Everything one look at a session shows: a single snapshot."""

    life: Literal["open", "suspended", "handed_off", "closed"]
    mode: Mode
    turn: int
    step: int
    context: Mapping[str, Any]
    plan: tuple[Mapping[str, Any], ...]
    plan_approved: bool
    asking: bool
    agent: AgentSeen
    unsent_conversation_id: str | None
    conversation_id: str | None
    channel: str | None
    upto: int | None
    looked_at: datetime
    batch: tuple[Line, ...]
    calls: tuple[TurnCall, ...]
    transcript: tuple[PastLine, ...]

    @property
    def next_turn(self) -> int:
        """The number of the turn the next step belongs to."""
        return self.turn if self.step else self.turn + 1

    @property
    def next_step(self) -> int:
        """The number of the next step, from 1."""
        return self.step + 1


@dataclass(frozen=True)
class Stop:
    """Nothing may be done: the session is gone, closed, suspended or handed off."""

    why: str


@dataclass(frozen=True)
class Deliver:
    """A message of this conversation is not sent yet."""

    conversation_id: str


@dataclass(frozen=True)
class Act:
    """A call may be carried out."""

    call_id: str
    sha256: str


@dataclass(frozen=True)
class Ask:
    """A human has to be asked: before the call (gate), or what became of it (outcome)."""

    call_id: str
    purpose: Literal["gate", "outcome"]


@dataclass(frozen=True)
class Rest:
    """Nothing is due."""


@dataclass(frozen=True)
class Think:
    """A model request is next."""


@dataclass(frozen=True)
class GiveUp:
    """The turn has taken as many steps as it may."""


Next = Stop | Deliver | Act | Ask | Rest | Think | GiveUp


def what_next(sight: Sight, steps_limit: int) -> Next:
    """What follows from a look. What was already decided or written comes before anything new is thought."""
    if sight.life == "closed":
        return Stop("closed")
    if sight.unsent_conversation_id:
        return Deliver(sight.unsent_conversation_id)
    if sight.life != "open":
        return Stop(sight.life)
    for call in _begun(sight):
        match call.state:
            case "ready" | "approved" | "started":
                return Act(call.id, call.sha256)
            case "asking":
                return Ask(call.id, "gate")
            case "unknown" if not call.asked_outcome:
                return Ask(call.id, "outcome")
            case _:
                continue
    if sight.conversation_id is None:
        return Rest()
    return GiveUp() if sight.next_step > steps_limit else Think()


def _begun(sight: Sight) -> list[OpenCall]:
    """The calls to see to: the open turn's own, and those a verdict of the batch is about.

    A call that was asked about is carried out by the turn that takes its verdict, so its outcome is told exactly once.
    """
    own = [
        OpenCall(id=c.id, state=c.state, gate=c.gate, sha256=c.sha256, asked_outcome=c.asked_outcome)
        for c in sight.calls
        if c.gate == "run" or c.state == "asking"
    ]
    return own + [line.asked.call for line in sight.batch if line.asked]
