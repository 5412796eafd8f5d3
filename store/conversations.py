"""Conversations in Postgres: the messages at one address, and where they go."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.errors import Conflict, NotFound, SessionClosed
from domain.ids import new_id
from store.pool import Database, Transaction

State = Literal["undecided", "held", "settled", "unbound", "refused"]


class ConversationRow(BaseModel):
    """A conversation as members see it."""

    id: str
    account_id: str
    channel: str
    chat: str
    thread: str
    state: State
    session_id: str | None
    peer: str
    last_seq: int
    created_at: datetime
    updated_at: datetime


class Place(BaseModel):
    """Where a session is written to: the address of its latest conversation, and the channel it is on."""

    conversation_id: str
    account_id: str
    channel: str
    chat: str
    thread: str


async def one(tx: Transaction, conversation: str) -> ConversationRow | None:
    """A conversation by id."""
    return await tx.row("conversations/one", ConversationRow, conversation=conversation)


async def listed(
    tx: Transaction, *, state: str | None, account: str | None, session: str | None, before: str | None, limit: int
) -> list[ConversationRow]:
    """Conversations, newest first."""
    return await tx.rows("conversations/list", ConversationRow, state=state, account=account, session=session, before=before, limit=limit)


async def of_session(tx: Transaction, session: str) -> Place:
    """Where a session is written to. Raises NotFound, SessionClosed, or Conflict when it has no conversation any more."""
    found = await tx.row("conversations/of_session", dict, session=session)
    if found is None:
        raise NotFound
    if found["life"] == "closed":
        raise SessionClosed
    if found["conversation_id"] is None:
        raise Conflict("This session has no conversation any more; start another.")
    return Place.model_validate(found)


async def admit(db: Database, tenant: str, conversation: str, verdict: Literal["admit", "refuse"], member: str) -> None:
    """The owner's word on whoever writes here. Raises NotFound, or Conflict when nobody is there to be judged or it is settled already."""
    params = {"tenant": tenant, "conversation": conversation, "verdict": verdict, "person": new_id("per"), "member": member}
    match (await db.call("conversations/admit", dict, params))["outcome"]:
        case "not_found":
            raise NotFound
        case "conflict":
            raise Conflict("This conversation is settled, or nobody wrote in it; close its session instead.")
