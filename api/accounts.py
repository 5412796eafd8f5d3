"""Accounts over HTTP: our logins on channels."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel

from api.account_views import AccountChange, AccountList, AccountView, NewAccount, changed, made, view
from api.cursors import CursorHere, LimitHere, cursor_of, place_of
from api.deps import Member, PageHere, PartsHere
from api.routers import noun, problems
from store import accounts
from store.accounts import AccountRow, Given, State

router: APIRouter = noun("/v1/accounts", "accounts")


class PeerView(BaseModel):
    """Someone who was seen on an account. `tier` is what the person behind is here: guest, when nobody said."""

    external_id: str
    name: str
    person_id: str | None
    tier: str
    first_seen_at: datetime


class PeerList(BaseModel):
    """A page of peers."""

    items: list[PeerView]
    next: str | None


async def account(account_id: str, parts: PartsHere, member: Member) -> AccountRow | None:
    """The account that the path names; None where there is none."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await accounts.one(tx, account_id)


AccountHere = Annotated[AccountRow | None, Depends(account)]


@router.get("")
async def list_accounts(
    parts: PartsHere, member: Member, page: PageHere, state: State | None = None, channel: Annotated[str | None, Query(max_length=100)] = None
) -> AccountList:  # fmt: skip
    """Accounts, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await accounts.listed(tx, before=page.before, limit=page.limit, state=state, channel=channel)
    return AccountList.model_validate(page.of([view(parts, row).model_dump() for row in rows]))


@router.post("", status_code=201)
async def create_account(asked: NewAccount, parts: PartsHere, member: Member) -> AccountView:
    """Adds an account. Secrets are sealed and never shown again but for their last four characters."""
    given = made(parts, asked)
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await accounts.create(tx, member.member_id, asked.channel, given)
    parts.notices.tell(member.tenant_id)
    return view(parts, row)


@router.get("/{account_id}")
async def get_account(found: AccountHere, parts: PartsHere, member: Member) -> AccountView:
    """One account."""
    return view(parts, found)


@router.patch("/{account_id}", responses=problems(409))
async def change_account(asked: AccountChange, found: AccountHere, parts: PartsHere, member: Member) -> AccountView:
    """Changes what is given. With another admission or other owners, whoever waits to be let in is looked at again."""
    before = view(parts, found)
    given = changed(parts, before.channel, asked)
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await accounts.change(tx, member.member_id, before.id, given)
    parts.notices.tell(member.tenant_id)
    return view(parts, row)


@router.delete("/{account_id}", status_code=204)
async def remove_account(account_id: str, parts: PartsHere, member: Member) -> Response:
    """Removes an account with its conversations and bindings; their sessions are closed and stay readable."""
    async with parts.db.transaction(member.tenant_id) as tx:
        asked = await accounts.remove(tx, member.member_id, account_id)
    for approval in asked:
        parts.pokes.in_background(parts.pokes.decided(member.tenant_id, approval))
    parts.notices.tell(member.tenant_id)
    return Response(status_code=204)


@router.post("/{account_id}/connect")
async def connect_account(account_id: str, parts: PartsHere, member: Member) -> AccountView:
    """Accepts messages on it again."""
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await accounts.change(tx, member.member_id, account_id, Given(state="connected"))
    parts.notices.tell(member.tenant_id)
    return view(parts, row)


@router.post("/{account_id}/disconnect")
async def disconnect_account(account_id: str, parts: PartsHere, member: Member) -> AccountView:
    """Refuses its webhooks and new chats until it is connected again; chats that are open stay open, and answers are still delivered."""
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await accounts.change(tx, member.member_id, account_id, Given(state="logged_out"))
    parts.notices.tell(member.tenant_id)
    return view(parts, row)


@router.get("/{account_id}/peers")
async def list_peers(
    found: AccountHere, parts: PartsHere, member: Member, cursor: CursorHere = None, limit: LimitHere = 50
) -> PeerList:  # fmt: skip
    """Who was seen on it, newest first."""
    before = place_of(cursor)
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await accounts.peers(tx, view(parts, found).id, before=before, limit=limit)
    following = cursor_of(rows[-1].first_seen_at, rows[-1].external_id) if len(rows) == limit else None
    return PeerList(items=[PeerView(**row.model_dump()) for row in rows], next=following)
