"""Bindings over HTTP: address pattern → agent."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from api.deps import Member, PageHere, PartsHere
from api.routers import noun, problems
from store import bindings
from store.bindings import BindingRow

router: APIRouter = noun("/v1/bindings", "bindings")
Pattern = Annotated[str, Field(min_length=0, max_length=512, pattern=r"^[^\x00]*$")]
Named = Annotated[str, Field(min_length=1, max_length=100)]


class NewBinding(BaseModel):
    """Which addresses go to which agent, by ids or names. No account is every account; `chat` and `thread` may hold * ? [ ]."""

    model_config = ConfigDict(extra="forbid")

    account: Named | None = None
    chat: Pattern = "*"
    thread: Pattern = "*"
    agent: Named


class BindingChange(BaseModel):
    """What changes; `account` null binds every account."""

    model_config = ConfigDict(extra="forbid")

    account: Named | None = None
    chat: Pattern | None = None
    thread: Pattern | None = None
    agent: Named | None = None


class BindingList(BaseModel):
    """A page of bindings."""

    items: list[BindingRow]
    next: str | None


@router.get("")
async def list_bindings(
    parts: PartsHere, member: Member, page: PageHere,
    account_id: Annotated[str | None, Query(max_length=64)] = None, agent: Annotated[str | None, Query(max_length=100)] = None,
) -> BindingList:  # fmt: skip
    """Bindings, newest first. The most specific one that matches an address decides: thread before chat before account, exact before pattern."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await bindings.listed(tx, account=account_id, agent=agent, before=page.before, limit=page.limit)
    return BindingList.model_validate(page.of([row.model_dump() for row in rows]))


@router.post("", status_code=201)
async def create_binding(asked: NewBinding, parts: PartsHere, member: Member) -> BindingRow:
    """Binds addresses to an agent. What waits is routed at once; a conversation that another agent has changes over at the end of its turn."""
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await bindings.create(tx, member.member_id, **asked.model_dump())
    parts.notices.tell(member.tenant_id)
    return row


@router.patch("/{binding_id}", responses=problems(409))
async def change_binding(binding_id: str, asked: BindingChange, parts: PartsHere, member: Member) -> BindingRow:
    """Changes what is given; conversations whose best binding is another one now change over at the end of their turn."""
    any_account = "account" in asked.model_fields_set and asked.account is None
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await bindings.change(tx, member.member_id, binding_id, **asked.model_dump(), any_account=any_account)
    parts.notices.tell(member.tenant_id)
    return row


@router.delete("/{binding_id}", status_code=204)
async def remove_binding(binding_id: str, parts: PartsHere, member: Member) -> Response:
    """Removes a binding. Conversations that it had settled go to the agent of the next best one, or stay where they are."""
    async with parts.db.transaction(member.tenant_id) as tx:
        await bindings.remove(tx, member.member_id, binding_id)
    parts.notices.tell(member.tenant_id)
    return Response(status_code=204)
