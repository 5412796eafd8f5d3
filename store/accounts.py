"""Accounts in Postgres: our logins on channels."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.ids import new_id
from store.pool import Database, Transaction


class AccountRow(BaseModel):
    """An account as it is stored; `sealed` opens with the keys only, `secrets_shown` is what people see of it."""

    id: str
    channel: str
    name: str
    state: str
    admission: str
    debounce: float
    owner_identities: list[str]
    settings: Mapping[str, Any]
    sealed: bytes | None
    secrets_shown: Mapping[str, str]
    created_at: datetime


async def tenant_of(db: Database, account: str) -> str | None:
    """Whose account this is: one of the four ways in."""
    found = await db.ids("accounts/tenant_of", account=account)
    return found[0] if found else None


async def one(tx: Transaction, account: str) -> AccountRow | None:
    """An account by id."""
    return await tx.row("accounts/one", AccountRow, account=account)


async def listed(tx: Transaction, *, before: str | None, limit: int) -> list[AccountRow]:
    """Accounts, newest first."""
    return await tx.rows("accounts/list", AccountRow, before=before, limit=limit)


async def create(tx: Transaction, *, channel: str, name: str, state: str, admission: str, debounce: float, owner_identities: list[str],
                 settings: Mapping[str, Any], sealed: bytes | None, secrets_shown: Mapping[str, str]) -> AccountRow:  # fmt: skip
    """A new account, or the changed one of that name."""
    found = await tx.row(
        "accounts/create", AccountRow, account=new_id("acc"), channel=channel, name=name, state=state, admission=admission, debounce=debounce,
        owner_identities=owner_identities, settings=Jsonb(dict(settings)), sealed=sealed, secrets_shown=Jsonb(dict(secrets_shown)),
    )  # fmt: skip
    assert found
    return found


async def change(tx: Transaction, account: str, *, name: str | None, state: str | None, admission: str | None, debounce: float | None,
                 owner_identities: list[str] | None, settings: Mapping[str, Any] | None, sealed: bytes | None,
                 secrets_shown: Mapping[str, str] | None) -> AccountRow | None:  # fmt: skip
    """Changes what is given and leaves the rest."""
    return await tx.row(
        "accounts/change", AccountRow, account=account, name=name, state=state, admission=admission, debounce=debounce,
        owner_identities=owner_identities, settings=Jsonb(dict(settings)) if settings is not None else None, sealed=sealed,
        secrets_shown=Jsonb(dict(secrets_shown)) if secrets_shown is not None else None,
    )  # fmt: skip


async def remove(tx: Transaction, account: str) -> int:
    """Removes an account with its conversations and bindings; how many rows."""
    return await tx.run("accounts/remove", account=account)


async def peers(tx: Transaction, account: str, limit: int) -> list[dict[str, Any]]:
    """Who was seen on an account, newest first."""
    return await tx.rows("accounts/peers", dict, account=account, limit=limit)
