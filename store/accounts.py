"""Accounts in Postgres: our logins on channels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import NotFound
from domain.ids import new_id
from store import audit, routing
from store.pool import Database, Transaction

State = Literal["new", "pairing", "connected", "reconnecting", "logged_out", "error"]


class AccountRow(BaseModel):
    """An account as it is stored; `sealed` opens with the keys only, `secrets_shown` is what people see of it."""

    id: str
    channel: str
    name: str
    state: State
    admission: str
    debounce: float
    owner_identities: list[str]
    settings: Mapping[str, Any]
    sealed: bytes | None
    secrets_shown: Mapping[str, str]
    created_at: datetime


class Given(BaseModel):
    """What an account is made or changed with; None leaves a value as it is."""

    name: str | None = None
    state: State | None = None
    admission: str | None = None
    debounce: float | None = None
    owner_identities: list[str] | None = None
    settings: dict[str, Any] | None = None
    sealed: bytes | None = None
    secrets_shown: dict[str, str] | None = None


class PeerRow(BaseModel):
    """Who was seen on an account, and what the person behind is here."""

    external_id: str
    name: str
    person_id: str | None
    tier: str
    first_seen_at: datetime


async def tenant_of(db: Database, account: str) -> str | None:
    """Whose account this is: one of the four ways in."""
    found = await db.ids("accounts/tenant_of", account=account)
    return found[0] if found else None


async def one(tx: Transaction, account: str) -> AccountRow | None:
    """An account by id."""
    return await tx.row("accounts/one", AccountRow, account=account)


async def listed(
    tx: Transaction, *, before: str | None, limit: int, state: State | None = None, channel: str | None = None
) -> list[AccountRow]:  # fmt: skip
    """Accounts, newest first; with a state or on a channel where that is given."""
    return await tx.rows("accounts/list", AccountRow, before=before, limit=limit, state=state, channel=channel)


async def create(tx: Transaction, actor: str, channel: str, given: Given) -> AccountRow:
    """A new account. Raises Conflict where the name is taken."""
    row = await tx.row("accounts/create", AccountRow, **_stored(given) | {"account": new_id("acc"), "channel": channel})
    assert row
    await audit.add(tx, actor, "account.created", row.id, channel=channel)
    return row


async def change(tx: Transaction, actor: str, account: str, given: Given) -> AccountRow:
    """Changes what is given and leaves the rest; whoever waits to be let in is looked at again. Raises NotFound, Conflict."""
    row = await tx.row("accounts/change", AccountRow, **_stored(given) | {"account": account})
    if row is None:
        raise NotFound
    await audit.add(tx, actor, "account.changed", account, changed=sorted(given.model_dump(exclude_none=True, exclude={"sealed"})))
    if given.admission is not None or given.owner_identities is not None:
        await routing.promise_unsettled(tx, account)
    return row


def _stored(given: Given) -> dict[str, Any]:
    values = given.model_dump()
    return values | {name: Jsonb(values[name]) if values[name] is not None else None for name in ("settings", "secrets_shown")}


async def named(tx: Transaction, name: str) -> AccountRow | None:
    """An account by id or name."""
    return await tx.row("accounts/named", AccountRow, name=name)


async def remove(tx: Transaction, actor: str, account: str) -> list[str]:
    """Removes an account with its conversations and bindings, and closes their sessions. Returns the approvals that ended so. Raises NotFound."""
    found = await tx.row("accounts/remove", dict, account=account)
    if found is None or found["asked"] is None:
        raise NotFound
    await audit.add(tx, actor, "account.removed", account)
    return list(found["asked"])


async def peers(tx: Transaction, account: str, *, before: tuple[datetime, str] | None, limit: int) -> list[PeerRow]:
    """Who was seen on an account, newest first; `before` is the time and the external id of the last one seen."""
    at, id_ = before or (None, None)
    return await tx.rows("accounts/peers", PeerRow, account=account, before_at=at, before_id=id_, limit=limit)
