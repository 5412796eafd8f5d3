"""What workflows and activities tell each other: ids, deadlines and small enumerations, never content."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class SessionRef:
    """A session, named."""

    tenant: str
    session: str


@dataclass(frozen=True)
class ConversationRef:
    """A conversation, named."""

    tenant: str
    conversation: str


@dataclass(frozen=True)
class CallRef:
    """A call, named, with the hash of the arguments it was judged by."""

    tenant: str
    call: str
    sha256: str = ""
    purpose: Literal["gate", "outcome"] = "gate"


@dataclass(frozen=True)
class ApprovalRef:
    """An approval, named."""

    tenant: str
    approval: str


@dataclass(frozen=True)
class Looked:
    """What think() found or did, and so what is next.

    act, ask and deliver name their object in `id`; more: look again; wait: something is due at `due_at`; rest: nothing is;
    stop: the session may not go on, for the reason in `why`.
    """

    next: Literal["act", "ask", "deliver", "more", "wait", "rest", "stop"]
    turn: int = 0
    step: int = 0
    id: str = ""
    sha256: str = ""
    purpose: Literal["gate", "outcome"] = "gate"
    due_at: datetime | None = None
    due_after: float | None = None
    """Seconds until `due_at` at the moment of the look: a span holds also where two clocks disagree."""
    why: str = ""
    channel: str = ""
    asking: bool = False
    """Whether a human is being asked something."""
    linger: float = 75.0
    looks_before_continue: int = 0


@dataclass(frozen=True)
class Routed:
    """What route() decided: settled, held, unbound, refused, gone; deliver: something unsent comes first; again: look again."""

    outcome: Literal["settled", "held", "unbound", "refused", "gone", "deliver", "again"]
    why: str = ""


@dataclass(frozen=True)
class Clocked:
    """What an approval's clock goes by."""

    state: Literal["pending", "decided", "expired", "cancelled", "gone"]
    verdict: Literal["approved", "denied", "expired", "cancelled"] | None = None
    deadline_at: datetime | None = None
    left_for: float | None = None
    """Seconds until the deadline at the moment of the reading: a span holds also where two clocks disagree."""
    asked: tuple[str, ...] = ()
    """Who is asked, as far as ids, roles and tiers say so."""


@dataclass(frozen=True)
class Armed:
    """An approval and the deadline its clock was set to."""

    tenant: str
    approval: str
    deadline_at: datetime
