"""Who there is: the caller, members who sign in, and persons who write."""

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import Member, PageHere, PartsHere
from api.routers import noun
from domain.roles import LEAST, Role
from store import members, people
from store.members import MemberRow
from store.people import PersonRow, Tier

router: APIRouter = noun("/v1", "people")


class Me(BaseModel):
    """Who calls. `identities` is what approvals may name this member by; `operations` what the role allows; `csrf` is empty for a key."""

    tenant_id: str
    member_id: str
    name: str
    role: Role
    identities: list[str]
    operations: list[str]
    key_id: str
    csrf: str


class MemberList(BaseModel):
    """A page of members."""

    items: list[MemberRow]
    next: str | None


class PersonList(BaseModel):
    """A page of persons."""

    items: list[PersonRow]
    next: str | None


@router.get("/me")
async def get_me(member: Member) -> Me:
    """Who calls, and what it may."""
    return Me(**member.model_dump(exclude={"identities"}), identities=list(member.identities), operations=sorted(filter(member.may, LEAST)))


@router.get("/members")
async def list_members(parts: PartsHere, member: Member, page: PageHere) -> MemberList:
    """Members, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await members.listed(tx, before=page.before, limit=page.limit)
    return MemberList.model_validate(page.of([row.model_dump() for row in rows]))


@router.get("/people")
async def list_people(parts: PartsHere, member: Member, page: PageHere, tier: Tier | None = None) -> PersonList:
    """Persons with their peers, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await people.listed(tx, tier=tier, before=page.before, limit=page.limit)
    return PersonList.model_validate(page.of([row.model_dump() for row in rows]))
