"""Approvals in Postgres: opened, decided, expired, listed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import Invalid
from domain.ids import new_id
from store.pool import Database, Transaction


class Decision(BaseModel):
    """What a decision came to. `status`: decided, voted, repeated, already_decided, expired, self_decision, not_an_approver,
    arguments_changed, answer_missing, unchanged or not_found; `wake` names the workflow that has to hear of the verdict row."""

    status: str
    verdict: str | None
    state: str | None
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None
    session_id: str | None
    wake: str | None
    wake_id: str | None


class Clock(BaseModel):
    """What an approval's clock goes by."""

    state: str
    verdict: str | None
    deadline_at: datetime
    left_for: float
    """Seconds until the deadline by the clock of the store, below 0 once it has passed."""
    action: str
    session_id: str | None
    approvers: Mapping[str, Any]
    votes: int


class ApprovalRow(BaseModel):
    """An approval as people see it."""

    id: str
    state: str
    verdict: str | None
    kind: str
    action: str
    arguments: Mapping[str, Any]
    arguments_sha256: str
    purpose: str
    requester: str
    agent: str | None
    approvers: Mapping[str, Any]
    options: Any
    form: Any
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
    session_id: str | None
    conversation_id: str | None
    call_id: str | None
    created_at: datetime
    votes: list[Mapping[str, Any]]


async def open_for_call(db: Database, tenant: str, call: str, purpose: str, *, kind: str, action: str, requester: str, approvers: Mapping[str, Any],
                        allow_self: bool, options: list[str] | None, within: float, on_timeout: str) -> str | None:  # fmt: skip
    """Opens what a call asks for, once: the same call gets the same approval. None when the call no longer asks."""
    params = {
        "tenant": tenant, "call": call, "purpose": purpose, "approval": new_id("apr"), "kind": kind, "action": action, "requester": requester,
        "approvers": Jsonb(dict(approvers)), "allow_self": allow_self, "options": Jsonb(options) if options else None, "within": within,
        "on_timeout": on_timeout,
    }  # fmt: skip
    approval: str | None = (await db.call("approvals/open_for_call", dict, params))["approval"]
    return approval


async def decide(db: Database, tenant: str, approval: str, *, member: str, identities: list[str], verdict: str, comment: str, answer: Any,
                 sha256: str | None, via: str, traceparent: str = "") -> Decision:  # fmt: skip
    """One approver's verdict: the lock of the approval's row decides every race. `traceparent` is the trace it came in."""
    params = {
        "tenant": tenant, "approval": approval, "member": member, "identities": identities, "verdict": verdict, "comment": comment,
        "answer": Jsonb(answer) if answer is not None else None, "sha256": sha256, "via": via, "message": new_id("msg"),
        "traceparent": traceparent,
    }  # fmt: skip
    return await db.call("approvals/decide", Decision, params)


async def expire(db: Database, tenant: str, approval: str, armed_at: datetime) -> Decision:
    """The clock's word, if the deadline is still the one that was armed."""
    return await db.call("approvals/expire", Decision, {"tenant": tenant, "approval": approval, "armed_at": armed_at, "message": new_id("msg")})


async def clock(tx: Transaction, approval: str) -> Clock | None:
    """What an approval's clock goes by; None when it is gone."""
    return await tx.row("approvals/clock", Clock, approval=approval)


async def keep_clock(tx: Transaction, approval: str) -> None:
    """Its workflow runs: the sweep need not look for an hour, or until its deadline should have been seen to; when it is over, never."""
    await tx.run("approvals/keep_clock", approval=approval)


async def one(tx: Transaction, approval: str) -> ApprovalRow | None:
    """An approval by its id."""
    return await tx.row("approvals/one", ApprovalRow, approval=approval)


async def listed(
    tx: Transaction, *, state: str | None, session: str | None, conversation: str | None, before: str | None, limit: int
) -> list[ApprovalRow]:
    """Approvals, newest first."""
    return await tx.rows("approvals/list", ApprovalRow, state=state, session=session, conversation=conversation, before=before, limit=limit)


class Stats(BaseModel):
    """Counts of a tenant's approvals; `median_seconds` from asking to deciding, None before the first decision."""

    pending: int
    approved: int
    denied: int
    expired: int
    cancelled: int
    median_seconds: float | None


async def stats(tx: Transaction) -> Stats:
    """How a tenant's approvals stand."""
    found = await tx.row("approvals/stats", Stats)
    assert found
    return found


async def open_for_program(
    tx: Transaction, approval: str, asked: Mapping[str, Any], approvers: Mapping[str, Any], sha256: str, requester: str
) -> None:
    """Opens what a program asks for; `asked` has action, arguments, within, kind, options, context, on_timeout and allow_self."""
    if unknown := await tx.rows("approvals/unknown_approvers", dict, of=approvers["of"]):
        raise Invalid(f"Nobody here is {unknown[0]['name']}: name people, members, roles or `owner`.", field="approvers")
    plain = {name: asked[name] for name in ("action", "within", "kind", "context", "on_timeout", "allow_self")}
    await tx.run(
        "approvals/open", approval=approval, sha256=sha256, requester=requester, form=None, approvers=Jsonb(dict(approvers)),
        arguments=Jsonb(dict(asked["arguments"])), options=Jsonb(asked["options"]) if asked["options"] else None, **plain,
    )  # fmt: skip
