"""What routers are given: the parts, the hub, the member who calls, and a page of a list."""

import secrets
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from itsdangerous import BadSignature, URLSafeTimedSerializer
from starlette.requests import HTTPConnection

from api.hub import Hub
from domain.errors import CsrfFailed, Forbidden, Invalid, Unauthorized
from domain.hosts import is_loopback
from domain.roles import Member as MemberSeen
from domain.roles import Role
from parts import Parts
from store import members

COOKIE = "switchboard"
SIGNED_IN_FOR = 12 * 3600
"""Seconds a console sign-in lasts."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def parts(connection: HTTPConnection) -> Parts:
    """Everything this process is made of."""
    found: Parts = connection.app.state.parts
    return found


def hub(connection: HTTPConnection) -> Hub:
    """Who waits for changes in this process."""
    found: Hub = connection.app.state.hub
    return found


def cookies(connection: HTTPConnection) -> URLSafeTimedSerializer:
    """The signer of console cookies."""
    return URLSafeTimedSerializer(parts(connection).settings.signing_key.get_secret_value(), salt="console")


def sign_in(request: Request, tenant: str, member: str) -> str:
    """The value of a console cookie."""
    value: str = cookies(request).dumps({"tenant": tenant, "member": member, "csrf": secrets.token_urlsafe(16)})
    return value


async def caller(request: Request) -> MemberSeen:
    """Who calls, by API key or by the console's cookie; a changing request by cookie needs its CSRF token. Raises Unauthorized."""
    known = getattr(request.state, "member", None)
    if known is None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        known = await (_by_key(request, key.strip()) if scheme.lower() == "bearer" else _by_cookie(request))
        request.state.member = known
    found: MemberSeen = known
    return found


async def member(request: Request) -> MemberSeen:
    """The caller, if the role allows the operation: the route's name in domain.roles. Raises Unauthorized or Forbidden."""
    found = await caller(request)
    if not found.may(request.scope["route"].name):
        raise Forbidden
    return found


async def within_reach(request: Request) -> None:
    """Where only this machine reaches the API anybody may ask; where a network does, whoever is signed in. Raises Unauthorized."""
    if not is_loopback(parts(request).settings.host):
        await caller(request)


async def _by_key(request: Request, key: str) -> MemberSeen:
    p = parts(request)
    tenant = await members.tenant_of_key(p.db, key)
    if tenant is None:
        raise Unauthorized
    async with p.db.transaction(tenant) as tx:
        row = await members.live_key(tx, key)
        owner = await members.member(tx, row.member_id) if row else None
    if row is None or owner is None:
        raise Unauthorized
    return await _acting_for(request, _seen(tenant, owner, row.role, key_id=row.id))


async def _by_cookie(request: Request) -> MemberSeen:
    try:
        said: dict[str, Any] = cookies(request).loads(request.cookies.get(COOKIE, ""), max_age=SIGNED_IN_FOR)
    except BadSignature as error:
        raise Unauthorized from error
    if request.method not in SAFE and not secrets.compare_digest(request.headers.get("x-csrf-token", "").encode(), said["csrf"].encode()):
        raise CsrfFailed
    async with parts(request).db.transaction(said["tenant"]) as tx:
        row = await members.member(tx, said["member"])
    if row is None:
        raise Unauthorized
    return _seen(said["tenant"], row, row.role, csrf=said["csrf"])


async def _acting_for(request: Request, seen: MemberSeen) -> MemberSeen:
    """A platform_admin names another tenant by header; each such call is audited there. Raises Forbidden, Invalid."""
    tenant = request.headers.get("x-tenant")
    if not tenant or tenant == seen.tenant_id:
        return seen
    if seen.role != "platform_admin":
        raise Forbidden
    async with parts(request).db.transaction(tenant) as tx:
        if await tx.row("members/tenant", dict) is None:
            raise Invalid("There is no such tenant.", field="X-Tenant")
        await tx.run("audit/add", actor=seen.member_id, action="impersonation", subject=request.scope["route"].name, details="{}")
    return seen.model_copy(update={"tenant_id": tenant, "identities": (seen.member_id, seen.role)})  # an owner at home is none here


def _seen(tenant: str, row: members.MemberRow, role: Role, *, csrf: str = "", key_id: str = "") -> MemberSeen:
    whole = role == row.role  # a lesser key of an owner's is not the owner's word
    identities = tuple(name for name in (row.id, row.person_id if whole else None, row.tier if whole else None, role) if name)
    return MemberSeen(tenant_id=tenant, member_id=row.id, name=row.name, role=role, identities=identities, csrf=csrf, key_id=key_id)


class Page:
    """Which part of a list is wanted. `cursor` is the last id of the page before; pages go from the newest to the oldest."""

    def __init__(self, cursor: str | None = Query(None, max_length=64), limit: int = Query(50, ge=1, le=200)) -> None:
        self.before, self.limit = cursor, limit

    def of(self, items: list[Any]) -> dict[str, Any]:
        """The page's body: `next` is null on the last one."""
        return {"items": items, "next": items[-1]["id"] if len(items) == self.limit else None}


PartsHere = Annotated[Parts, Depends(parts)]
HubHere = Annotated[Hub, Depends(hub)]
Member = Annotated[MemberSeen, Depends(member)]
PageHere = Annotated[Page, Depends()]
