"""Members, keys and sign-in links in Postgres; of keys and links only hashes are stored."""

import hashlib
import secrets
from datetime import datetime

from pydantic import BaseModel

from domain.ids import new_id
from domain.roles import Role
from store.pool import Database, Transaction

KEY_START = "sbk_"


class MemberRow(BaseModel):
    """A member, with what the person behind is here."""

    id: str
    name: str
    role: Role
    person_id: str | None
    tier: str | None


class KeyRow(BaseModel):
    """A key as people see it: never the key itself."""

    id: str
    name: str
    prefix: str
    role: Role
    scopes: list[str]
    member_id: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


def digest(token: str) -> bytes:
    """How keys and links are stored. They are random and long, so a plain hash cannot be reversed."""
    return hashlib.sha256(token.encode()).digest()


async def tenant_of_key(db: Database, key: str) -> str | None:
    """Whose key this is: one of the four ways in."""
    found = await db.ids("keys/tenant_of", hash=digest(key))
    return found[0] if found else None


async def live_key(tx: Transaction, key: str) -> KeyRow | None:
    """The key's row unless it is revoked or expired."""
    return await tx.row("keys/live", KeyRow, hash=digest(key))


async def keys(tx: Transaction, *, before: str | None, limit: int) -> list[KeyRow]:
    """Keys, newest first."""
    return await tx.rows("keys/list", KeyRow, before=before, limit=limit)


async def create_key(
    tx: Transaction, *, name: str, role: Role, member: str, scopes: list[str], expires_at: datetime | None, key: str = ""
) -> tuple[KeyRow, str]:
    """A new key and, this once, the key itself. A given `key` is taken as it is, once."""
    key = key or KEY_START + secrets.token_urlsafe(32)
    row = await tx.row("keys/create", KeyRow, key=new_id("key"), name=name, hash=digest(key), prefix=key[:8], role=role, member=member, scopes=scopes,
                       expires_at=expires_at)  # fmt: skip
    assert row
    return row, key


async def revoke_key(tx: Transaction, key: str, roles: list[str]) -> bool:
    """Revokes a key of one of these roles, for good; False when there is no such key."""
    return await tx.row("keys/revoke", dict, key=key, roles=roles) is not None


async def listed(tx: Transaction, *, before: str | None, limit: int) -> list[MemberRow]:
    """Members, newest first."""
    return await tx.rows("members/list", MemberRow, before=before, limit=limit)


async def member(tx: Transaction, member_id: str) -> MemberRow | None:
    """A member by id."""
    return await tx.row("members/one", MemberRow, member=member_id)


async def create_signin(tx: Transaction, member_id: str, minutes: int) -> str:
    """A one-time sign-in token, valid for so many minutes."""
    token = secrets.token_urlsafe(24)
    await tx.run("members/create_signin", hash=digest(token), member=member_id, minutes=minutes)
    return token


async def use_signin(db: Database, token: str) -> tuple[str, str] | None:
    """Uses a sign-in token up: (tenant, member), or None when it was used, is too old or never was."""
    tenants = await db.ids("members/tenant_of_token", hash=digest(token))
    if not tenants:
        return None
    async with db.transaction(tenants[0]) as tx:
        used = await tx.row("members/use_signin", dict, hash=digest(token))
    return (tenants[0], used["member_id"]) if used else None
