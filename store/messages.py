"""Messages in Postgres: accepted, sent, read back, and the drafts that are shown while they grow."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import Conflict, NotFound
from domain.ids import new_id
from domain.messages import Accepted, Inbound, Sending
from store.pool import Database, Transaction


class Drafted(BaseModel):
    """A reply as far as it is written."""

    message_id: str
    text: str


class Spoken(BaseModel):
    """What a member's word about a message came to, the message it is about, and whose workflow has to be woken."""

    status: Literal["not_found", "conflict", "repeated", "sent", "intent", "decided"]
    message_id: str | None
    wake: Literal["session", "routing"] | None
    wake_id: str | None


class MessageRow(BaseModel):
    """A message as members see it."""

    id: str
    conversation_id: str
    seq: int
    direction: Literal["inbound", "outbound"]
    kind: Literal["text", "timer", "verdict", "note"]
    text: str
    state: str
    sender: str
    answered_by: str | None
    resend_of: str | None
    approval_id: str | None
    attempt: int
    error: str | None
    accepted_at: datetime
    sent_at: datetime | None


async def accept(db: Database, inbound: Inbound, traceparent: str = "") -> Accepted:
    """Stores a message behind all others of its conversation, once: ACCEPT of the protocol, one round trip, one commit.

    `traceparent` is the trace it arrived in, empty where traces are off.

    Raises NotFound for an account that does not exist, StoreUnavailable when the commit's fate is unknown.
    """
    return await db.call("messages/accept", Accepted, _accepting(inbound, traceparent))


async def accept_all(db: Database, inbounds: Sequence[Inbound], traceparent: str = "") -> list[Accepted]:
    """Stores what one person wrote faster than it could be stored, in this order: as `accept`, with one commit for all of it.

    Raises what `accept` raises; nothing is stored then.
    """
    if len(inbounds) == 1:
        return [await accept(db, inbounds[0], traceparent)]
    return await db.calls("messages/accept", Accepted, inbounds[0].tenant_id, [_accepting(inbound, traceparent) for inbound in inbounds])


def _accepting(inbound: Inbound, traceparent: str) -> dict[str, Any]:
    return {
        "tenant": inbound.tenant_id, "account": inbound.account_id, "chat": inbound.chat, "thread": inbound.thread, "sender": inbound.sender,
        "sender_name": inbound.sender_name, "external_id": inbound.external_id, "kind": inbound.kind, "text": inbound.text,
        "payload": Jsonb(dict(inbound.payload)), "at_once": inbound.at_once, "conversation": new_id("con"), "message": new_id("msg"),
        "traceparent": traceparent,
    }  # fmt: skip


async def begin_send(db: Database, tenant: str, conversation: str, epoch: int = 0) -> Sending:
    """Takes the lowest unsent message of a conversation for sending: the commit before the wire."""
    return await db.call("messages/begin_send", Sending, {"tenant": tenant, "conversation": conversation, "epoch": epoch})


async def end_send(
    db: Database, tenant: str, message: str, attempt: int, state: str, *, receipt: str | None = None, error: str | None = None
) -> bool:
    """Writes down what became of an attempt: the commit after the wire. False when another attempt has taken over."""
    params = {"tenant": tenant, "message": message, "attempt": attempt, "state": state, "receipt": receipt, "error": error}
    return bool((await db.call("messages/end_send", dict, params))["ended"])


async def decide_send(db: Database, tenant: str, message: str, verb: Literal["resend", "mark-sent", "drop"], member: str) -> Spoken:
    """A member's word on an uncertain send. Raises NotFound, or Conflict when there is nothing to decide."""
    params = {"tenant": tenant, "message": message, "verb": verb, "copy": new_id("msg"), "member": member}
    return _found(await db.call("messages/decide_send", Spoken, params))


async def append_outbound(
    db: Database, tenant: str, conversation: str, text: str, member: str, *, commit_delivers: bool, external_id: str | None = None
) -> Spoken:
    """A member's own words in a conversation; with an external id once. Raises NotFound."""
    params = {
        "tenant": tenant, "conversation": conversation, "message": new_id("msg"), "external_id": external_id, "text": text, "member": member,
        "commit_delivers": commit_delivers,
    }  # fmt: skip
    return _found(await db.call("messages/append_outbound", Spoken, params))


def _found(spoken: Spoken) -> Spoken:
    match spoken.status:
        case "not_found":
            raise NotFound
        case "conflict":
            raise Conflict("This message is neither unknown, parked nor failed, or it was sent again already; read it again.")
        case _:
            return spoken


async def one(tx: Transaction, message: str) -> MessageRow | None:
    """A message by its id."""
    return await tx.row("messages/one", MessageRow, message=message)


async def listed(tx: Transaction, conversation: str, *, after: int, state: str | None, direction: str | None, limit: int) -> list[MessageRow]:
    """A conversation's messages after a seq, in order."""
    return await tx.rows("messages/list", MessageRow, conversation=conversation, after=after, state=state, direction=direction, limit=limit)


async def for_chat(tx: Transaction, conversation: str, after: int, limit: int = 200) -> Sequence[dict[str, Any]]:
    """What a web chat shows after a seq, in order."""
    return await tx.rows("messages/for_chat", dict, conversation=conversation, after=after, limit=limit)


async def write_draft(tx: Transaction, conversation: str, message: str, text: str) -> None:
    """Shows a reply as far as it is written; empty text means that someone is writing."""
    await tx.run("messages/write_draft", conversation=conversation, message=message, text=text)


async def drop_draft(tx: Transaction, conversation: str) -> None:
    """Forgets a draft whose turn ended without it."""
    await tx.run("messages/drop_draft", conversation=conversation)


async def draft(tx: Transaction, conversation: str) -> Drafted | None:
    """The reply that is being written now."""
    return await tx.row("messages/draft", Drafted, conversation=conversation)
