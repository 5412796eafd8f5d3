"""What changed, in an order that no late commit can break."""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel

from store.pool import Transaction


class Cursor(NamedTuple):
    """A reader's place: the transaction and the row in it."""

    xid: str
    id: int


class Event(BaseModel):
    """One change: of what kind of thing, which one, and its state now."""

    xid: str
    id: int
    kind: str
    subject: str
    conversation_id: str | None
    state: str
    at: datetime


async def newest(tx: Transaction) -> Cursor:
    """The place behind everything there is."""
    found = await tx.row("events/newest", dict)
    return Cursor(found["xid"], found["id"]) if found else Cursor("0", 0)


async def after(tx: Transaction, cursor: Cursor, limit: int = 500) -> list[Event]:
    """What came after a place; rows of transactions that older ones could still precede are left for later."""
    return await tx.rows("events/after", Event, xid=cursor.xid, id=cursor.id, limit=limit)
