"""Who did what, and what thinking cost."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from api.cursors import LimitHere
from api.deps import Member, PartsHere
from api.routers import noun
from api.values import Moment
from domain.errors import Invalid
from store import audit, requests
from store.audit import AuditRow
from store.requests import ModelUsage

router: APIRouter = noun("/v1", "audit")
A_MONTH = timedelta(days=30)
Number = Annotated[str | None, Query(pattern=r"^[0-9]{1,18}$")]
Word = Annotated[str | None, Query(max_length=200)]


class AuditList(BaseModel):
    """A page of what was done."""

    items: list[AuditRow]
    next: str | None


class Span(BaseModel):
    """From when on, and until when."""

    since: datetime
    until: datetime


class Usage(Span):
    """What the models were asked and cost in a span, by model and together."""

    items: list[ModelUsage]
    requests: int
    tokens_in: int
    tokens_out: int
    cost_usd: float


async def span(since: Moment | None = None, until: Moment | None = None) -> Span:
    """The span that is asked about, the last 30 days unless it is given. Raises Invalid for one that ends before it begins."""
    end = until or datetime.now(UTC)
    begin = since or end - A_MONTH
    if begin >= end:
        raise Invalid("The span ends before it begins.", field="since")
    return Span(since=begin, until=end)


@router.get("/audit")
async def list_audit(
    parts: PartsHere, member: Member, cursor: Number = None, subject: Word = None, actor: Word = None, action: Word = None, limit: LimitHere = 50
) -> AuditList:  # fmt: skip
    """What was done, newest first. Rows cannot be changed or deleted."""
    before = int(cursor) if cursor else None
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await audit.listed(tx, before=before, subject=subject, actor=actor, action=action, limit=limit)
    return AuditList(items=rows, next=str(rows[-1].id) if len(rows) == limit else None)


@router.get("/usage")
async def get_usage(parts: PartsHere, member: Member, asked: Annotated[Span, Depends(span)]) -> Usage:
    """What model requests cost, the lost ones too; the last 30 days unless a span is given."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await requests.usage(tx, asked.since, asked.until)
    return Usage(**asked.model_dump(), items=rows, **_together(rows))


def _together(rows: list[ModelUsage]) -> dict[str, Any]:
    return {name: sum(getattr(row, name) or 0 for row in rows) for name in ("requests", "tokens_in", "tokens_out", "cost_usd")}
