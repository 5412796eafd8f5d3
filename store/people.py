"""Persons in Postgres: one human, with the peers that are known to be theirs."""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from store.pool import Transaction

Tier = Literal["owner", "admitted", "guest", "blocked"]


class PersonRow(BaseModel):
    """A person; each of `peers` has account_id, external_id and name."""

    id: str
    name: str
    tier: Tier
    created_at: datetime
    peers: list[Mapping[str, str]]


async def listed(tx: Transaction, *, tier: str | None, before: str | None, limit: int) -> list[PersonRow]:
    """Persons, newest first."""
    return await tx.rows("people/list", PersonRow, tier=tier, before=before, limit=limit)
