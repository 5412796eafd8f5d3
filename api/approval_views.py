"""Approvals as they are shown, and a decision that was refused as an error."""

from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from domain.errors import (
    AlreadyDecided,
    AnswerMissing,
    ApprovalExpired,
    ArgumentsChanged,
    NotAnApprover,
    NotFound,
    SelfDecision,
    SwitchboardError,
)
from domain.ids import approval_workflow
from parts import Parts
from store.approvals import ApprovalRow, Decision

State = Literal["pending", "decided", "expired", "cancelled"]
Outcome = Literal["approved", "denied", "expired", "cancelled"]


class ApprovalView(BaseModel):
    """An approval as the contract names its fields."""

    id: str
    state: State
    verdict: Outcome | None
    kind: str
    action: str
    arguments: dict[str, Any]
    arguments_sha256: str
    purpose: str
    requester: str
    agent: str | None
    approvers: dict[str, Any]
    options: list[str] | None
    context: str
    deadline_at: datetime
    on_timeout: str
    decided_by: str | None
    decided_by_name: str | None
    decided_at: datetime | None
    comment: str | None
    answer: Any
    result: Any
    call_state: str | None
    votes: list[dict[str, Any]]
    session_id: str | None
    conversation_id: str | None
    created_at: datetime
    workflow_id: str
    run_url: str
    session_run_url: str | None


class ApprovalList(BaseModel):
    """A page of approvals."""

    items: list[ApprovalView]
    next: str | None


class Decided(BaseModel):
    """What a decision came to. `state` is still pending where more votes are needed."""

    id: str
    state: State
    verdict: Outcome | None
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    repeated: bool


def run_url(parts: Parts, workflow_id: str) -> str:
    """Where a workflow is seen in Temporal's web UI."""
    return f"{parts.settings.temporal_ui_url}/namespaces/{parts.settings.temporal_namespace}/workflows/{quote(workflow_id, safe='')}"


def view(parts: Parts, tenant: str, row: ApprovalRow | None) -> dict[str, Any]:
    """A row as people see it. Raises NotFound for none."""
    if row is None:
        raise NotFound
    workflow_id = approval_workflow(tenant, row.id)
    session = f"session/{tenant}/{row.session_id}" if row.session_id else None
    return row.model_dump(exclude={"form", "call_id"}) | {
        "workflow_id": workflow_id,
        "run_url": run_url(parts, workflow_id),
        "session_run_url": run_url(parts, session) if session else None,
    }


REFUSALS: dict[str, type[SwitchboardError]] = {
    "not_found": NotFound,
    "already_decided": AlreadyDecided,
    "expired": ApprovalExpired,
    "self_decision": SelfDecision,
    "not_an_approver": NotAnApprover,
    "arguments_changed": ArgumentsChanged,
    "answer_missing": AnswerMissing,
}


def refused(decision: Decision) -> None:
    """Raises what a decision was refused for, with who decided it, when and how."""
    kind = REFUSALS.get(decision.status)
    if kind is None:
        return
    raise kind(
        verdict=decision.verdict, decided_by=decision.decided_by, decided_at=decision.decided_at and to_jsonable_python(decision.decided_at),
        state=decision.state,
    )  # fmt: skip
