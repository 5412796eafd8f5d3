"""Approvals over HTTP: asked by any program, listed, waited for, decided."""

import asyncio
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

import traces
from api.approval_views import ApprovalList, ApprovalView, Decided, refused, view
from api.deps import HubHere, Member, PageHere, PartsHere
from api.hub import Hub, either
from api.routers import noun
from api.values import Seconds, YesOrNo
from domain.approvals import approvers_of, arguments_sha256
from domain.ids import new_id
from parts import Parts
from store import approvals

router: APIRouter = noun("/v1/approvals", "approvals")
LOOK_EVERY = 3.0


class Asked(BaseModel):
    """What a program asks a human. Spans in seconds."""

    model_config = ConfigDict(extra="forbid")

    action: str = Field(min_length=1, max_length=200)
    arguments: dict[str, Any] = Field(default_factory=dict)
    approvers: list[str] | dict[str, Any] = Field(default_factory=lambda: ["owner"])
    within: Seconds = Field(default=1800, gt=0, le=30 * 24 * 3600)
    kind: Literal["approve", "choose", "answer"] = "approve"
    options: list[str] | None = Field(default=None, min_length=2, max_length=20)
    context: str = Field(default="", max_length=4000)
    on_timeout: Literal["deny", "approve", "cancel"] = "deny"
    allow_self: YesOrNo | None = None
    """None: whoever asks does not decide, but for the owner, above whom there is nobody; True: may; False: not even the owner."""

    @model_validator(mode="after")
    def _can_be_chosen(self) -> "Asked":
        if (self.kind == "choose") != (self.options is not None):
            raise ValueError("options belong to the kind choose, and it needs them")
        return self


class Verdict(BaseModel):
    """One approver's word. With `arguments_sha256` it counts only for exactly those arguments."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["approved", "denied"]
    comment: str = Field(default="", max_length=2000)
    answer: Any = None
    arguments_sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")


@router.get("")
async def list_approvals(
    parts: PartsHere, member: Member, page: PageHere,
    state: Annotated[Literal["pending", "decided", "expired", "cancelled"] | None, Query()] = None,
    session_id: Annotated[str | None, Query(max_length=64)] = None, conversation_id: Annotated[str | None, Query(max_length=64)] = None,
) -> ApprovalList:  # fmt: skip
    """Approvals, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await approvals.listed(tx, state=state, session=session_id, conversation=conversation_id, before=page.before, limit=page.limit)
    return ApprovalList.model_validate(page.of([view(parts, member.tenant_id, row) for row in rows]))


@router.post("", status_code=201)
async def create_approval(asked: Asked, parts: PartsHere, member: Member) -> ApprovalView:
    """Asks a human; wait for the verdict with GET …?wait=60, or for the workflow's result."""
    approval, approvers = new_id("apr"), approvers_of(asked.approvers)
    async with parts.db.transaction(member.tenant_id) as tx:
        await approvals.open_for_program(
            tx, approval, asked.model_dump(exclude={"approvers"}), approvers, arguments_sha256(asked.arguments), member.member_id
        )
        row = await approvals.one(tx, approval)
    parts.pokes.in_background(parts.pokes.approval(member.tenant_id, approval))
    parts.notices.tell(member.tenant_id)
    return ApprovalView.model_validate(view(parts, member.tenant_id, row))


@router.get("/stats")
async def approval_stats(parts: PartsHere, member: Member) -> approvals.Stats:
    """How many wait, how many were decided and how, and the median time to a decision."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await approvals.stats(tx)


@router.get("/{approval_id}")
async def get_approval(
    approval_id: str, parts: PartsHere, member: Member, hub: HubHere, wait: Annotated[float, Query(ge=0, le=60)] = 0
) -> ApprovalView:  # fmt: skip
    """One approval; with `wait` the answer comes when it is decided, or after so many seconds."""
    row = await _decided_within(parts, hub, member.tenant_id, approval_id, wait)
    return ApprovalView.model_validate(view(parts, member.tenant_id, row))


@router.post("/{approval_id}/decide")
async def decide_approval(approval_id: str, verdict: Verdict, parts: PartsHere, member: Member, response: Response) -> Decided:
    """Decides. The same verdict again answers `repeated`; too late, by the wrong one or for other arguments is refused with the facts."""
    decision = await approvals.decide(
        parts.db, member.tenant_id, approval_id, member=member.member_id, identities=list(member.identities), verdict=verdict.verdict,
        comment=verdict.comment, answer=verdict.answer, sha256=verdict.arguments_sha256, via="console" if member.csrf else "api",
        traceparent=traces.here(),
    )  # fmt: skip
    parts.inbox.wake(member.tenant_id, decision.wake, decision.wake_id)
    parts.pokes.in_background(parts.pokes.decided(member.tenant_id, approval_id))
    parts.notices.tell(member.tenant_id)
    refused(decision)
    return Decided(
        **decision.model_dump(include={"state", "verdict", "decided_by", "decided_at", "comment"}),
        id=approval_id,
        repeated=decision.status == "repeated",
    )


async def _decided_within(parts: Parts, hub: Hub, tenant: str, approval: str, seconds: float) -> approvals.ApprovalRow | None:
    """An approval as soon as it is pending no more, and after so many seconds as it is; None when there is none."""
    until = asyncio.get_running_loop().time() + seconds
    with hub.waiting(tenant) as event:
        while True:
            async with parts.db.transaction(tenant) as tx:
                row = await approvals.one(tx, approval)
            left = until - asyncio.get_running_loop().time()
            if row is None or row.state != "pending" or left <= 0:
                return row
            await either(event, min(left, LOOK_EVERY))
