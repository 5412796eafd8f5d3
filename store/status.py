"""How a tenant stands, in one row: what is counted is counted from partial indexes, so that it costs little."""

from collections.abc import Mapping
from datetime import datetime

from pydantic import BaseModel

from domain.errors import NotFound
from domain.sessions import Phase
from store.pool import Transaction


class Waiting(BaseModel):
    """Approvals that wait; the times are None where none does."""

    pending: int
    oldest_at: datetime | None
    next_deadline_at: datetime | None


class Unsettled(BaseModel):
    """Messages that are not where they should be: due and without an answer, held until someone is let in, set aside, or sent perhaps."""

    unanswered: int
    oldest_unanswered_at: datetime | None
    held: int
    parked: int
    unknown: int


class Standing(BaseModel):
    """A tenant's counts. `sessions` leaves out the closed ones; `waiting_to_be_let_in` counts conversations."""

    tenant: str
    sessions: Mapping[Phase, int]
    approvals: Waiting
    messages: Unsettled
    waiting_to_be_let_in: int


async def now(tx: Transaction) -> Standing:
    """How the tenant stands. Raises NotFound when it is gone."""
    row = await tx.row("status/now", Standing)
    if row is None:
        raise NotFound
    return row
