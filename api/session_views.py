"""Sessions as they are asked for and shown, with the version that a change has to name."""

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Depends, Header
from pydantic import BaseModel, ConfigDict, Field

from api.approval_views import run_url
from api.values import YesOrNo
from domain.errors import PreconditionFailed, PreconditionRequired
from domain.ids import session_workflow
from domain.messages import MAX_TEXT
from domain.sessions import Mode, Phase
from parts import Parts
from store.sessions import SessionRow

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")]


class NewSession(BaseModel):
    """Starts an agent, by id or name, in a session of its own; `input` is its first message, `mode` the agent's unless it is given."""

    model_config = ConfigDict(extra="forbid")

    agent: str = Field(min_length=1, max_length=100)
    mode: Mode | None = None
    input: Text | None = None


class PlanItem(BaseModel):
    """One item of a plan."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=2000)
    done: YesOrNo = False


class SessionChange(BaseModel):
    """Replaces the context, the plan, or both."""

    model_config = ConfigDict(extra="forbid")

    context: dict[str, Any] | None = None
    plan: list[PlanItem] | None = Field(default=None, max_length=200)


class Words(BaseModel):
    """What is said."""

    model_config = ConfigDict(extra="forbid")

    text: Text


class Resumed(BaseModel):
    """What the session is told as it goes on: added to its context."""

    model_config = ConfigDict(extra="forbid")

    context: dict[str, Any] = Field(default_factory=dict)


class SessionView(BaseModel):
    """A session. `agent` is the agent's name; `version` grows with every change and is the ETag."""

    id: str
    agent: str
    agent_id: str
    mode: Mode
    phase: Phase
    phase_reason: Literal["member", "failed", "completed", "expired"] | None
    workflow_id: str
    run_url: str
    context: dict[str, Any]
    plan: list[dict[str, Any]]
    plan_approved: bool
    version: int
    turn: int
    conversation_id: str | None
    created_at: datetime
    last_used_at: datetime
    closed_at: datetime | None


class SessionList(BaseModel):
    """A page of sessions."""

    items: list[SessionView]
    next: str | None


class Told(BaseModel):
    """One thing that happened: a message, a call (a step that wanted a tool), a step that spoke, or an approval; more under its kind's name."""

    id: str
    at: datetime
    kind: Literal["message", "call", "step", "approval"]
    turn: int | None
    n: int | None
    message: dict[str, Any] | None = None
    call: dict[str, Any] | None = None
    approval: dict[str, Any] | None = None


class History(BaseModel):
    """A page of what happened, oldest first."""

    items: list[Told]
    next: str | None


class Queued(BaseModel):
    """A message that was stored, and its place in the conversation."""

    message_id: str
    seq: int
    duplicate: bool
    conversation_id: str


class ModeView(BaseModel):
    """How an agent may work."""

    mode: Mode
    title: str
    supports_resume: bool
    supports_hitl: bool


class ModeList(BaseModel):
    """Every mode, on one page."""

    items: list[ModeView]
    next: str | None = None


def view(parts: Parts, tenant: str, row: SessionRow) -> SessionView:
    """A row as people see it."""
    workflow = session_workflow(tenant, row.id)
    return SessionView(**row.model_dump(), workflow_id=workflow, run_url=run_url(parts, workflow))


def etag(version: int) -> str:
    """A version as HTTP's ETag."""
    return f'"{version}"'


async def versions(if_match: Annotated[str | None, Header(alias="If-Match", max_length=1000)] = None) -> frozenset[int] | None:
    """The versions that If-Match names, None for any. Raises PreconditionRequired, or PreconditionFailed for what can match none."""
    if if_match is None:
        raise PreconditionRequired
    if if_match.strip() == "*":
        return None
    found = frozenset(int(number) for number in re.findall(r'(?<![\w"])"?([0-9]{1,9})"?(?=\s*(?:,|$))', if_match))
    if not found:
        raise PreconditionFailed
    return found


Versions = Annotated[frozenset[int] | None, Depends(versions)]
