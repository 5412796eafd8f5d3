"""Who did what: rows that nobody can change or delete, written in the commit they tell of."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from store.pool import Transaction


class AuditRow(BaseModel):
    """One thing that was done. `actor` is a member's id; details hold names of fields and ids, never content."""

    id: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


async def add(tx: Transaction, actor: str, action: str, subject: str, **details: Any) -> None:
    """Writes down that it was done."""
    await tx.run("audit/add", actor=actor, action=action, subject=subject, details=Jsonb(details))


async def listed(tx: Transaction, *, before: int | None, subject: str | None, actor: str | None, action: str | None, limit: int) -> list[AuditRow]:
    """What was done, newest first."""
    return await tx.rows("audit/list", AuditRow, before=before, subject=subject, actor=actor, action=action, limit=limit)
