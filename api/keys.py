"""API keys over HTTP: made (and shown this once), listed by their beginning, revoked."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import AfterValidator, BaseModel, ConfigDict

from api.account_views import Name
from api.deps import Member, PageHere, PartsHere
from api.routers import noun
from api.values import Moment
from domain.errors import Forbidden, NotFound
from domain.roles import Role, up_to
from store import audit, members
from store.pool import Transaction

router: APIRouter = noun("/v1/keys", "keys")


def _in_the_future(at: datetime) -> datetime:
    if at <= datetime.now(UTC):
        raise ValueError("has to be in the future")
    return at


class NewKey(BaseModel):
    """A key that acts as its maker, with this role at most; `expires_at` null lasts until it is revoked."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    role: Role = "customer_operator"
    expires_at: Annotated[Moment, AfterValidator(_in_the_future)] | None = None


class KeyView(BaseModel):
    """A key as it is shown: its beginning only."""

    id: str
    name: str
    prefix: str
    role: Role
    member_id: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeKey(KeyView):
    """A new key, with the key itself: it is not stored and never shown again."""

    key: str


class KeyList(BaseModel):
    """A page of keys."""

    items: list[KeyView]
    next: str | None


@router.get("")
async def list_keys(parts: PartsHere, member: Member, page: PageHere) -> KeyList:
    """Keys, newest first, the revoked ones too."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await members.keys(tx, before=page.before, limit=page.limit)
    return KeyList.model_validate(page.of([row.model_dump(exclude={"scopes"}) for row in rows]))


@router.post("", status_code=201)
async def create_key(asked: NewKey, parts: PartsHere, member: Member) -> MadeKey:
    """Makes a key of the caller's own role or a lesser one."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await _made(tx, member, asked)


@router.delete("/{key_id}", status_code=204)
async def revoke_key(key_id: str, parts: PartsHere, member: Member) -> Response:
    """Revokes a key for good; whoever uses it is refused from now on."""
    async with parts.db.transaction(member.tenant_id) as tx:
        await _revoked(tx, member, key_id)
    return Response(status_code=204)


async def _made(tx: Transaction, member: Member, asked: NewKey) -> MadeKey:
    if asked.role not in up_to(member.role):
        raise Forbidden("A key may not do more than its maker; choose your own role or a lesser one.", field="role")
    if await members.member(tx, member.member_id) is None:
        raise Forbidden("A key acts as its maker, and you are no member of this tenant; have one of its members make it.")
    row, key = await members.create_key(tx, name=asked.name, role=asked.role, member=member.member_id, scopes=[], expires_at=asked.expires_at)
    await audit.add(tx, member.member_id, "key.created", row.id, role=row.role)
    return MadeKey(**row.model_dump(exclude={"scopes"}), key=key)


async def _revoked(tx: Transaction, member: Member, key_id: str) -> None:
    if not await members.revoke_key(tx, key_id, up_to(member.role)):
        raise NotFound
    await audit.add(tx, member.member_id, "key.revoked", key_id)
