"""Messages in Postgres: accepted, sent, read back, and the drafts that are shown while they grow."""

from collections.abc import Sequence
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.ids import new_id
from domain.messages import Accepted, Inbound, Sending
from store.pool import Database, Transaction


class Drafted(BaseModel):
    """A reply as far as it is written."""

    message_id: str
    text: str


async def accept(db: Database, inbound: Inbound) -> Accepted:
    """Stores a message behind all others of its conversation, once: ACCEPT of the protocol, one round trip, one commit.

    Raises NotFound for an account that does not exist, StoreUnavailable when the commit's fate is unknown.
    """
    params = {
        "tenant": inbound.tenant_id, "account": inbound.account_id, "chat": inbound.chat, "thread": inbound.thread, "sender": inbound.sender,
        "sender_name": inbound.sender_name, "external_id": inbound.external_id, "kind": inbound.kind, "text": inbound.text,
        "payload": Jsonb(dict(inbound.payload)), "at_once": inbound.at_once, "conversation": new_id("con"), "message": new_id("msg"),
    }  # fmt: skip
    return await db.call("messages/accept", Accepted, params)


async def begin_send(db: Database, tenant: str, conversation: str, epoch: int = 0) -> Sending:
    """Takes the lowest unsent message of a conversation for sending: the commit before the wire."""
    return await db.call("messages/begin_send", Sending, {"tenant": tenant, "conversation": conversation, "epoch": epoch})


async def end_send(
    db: Database, tenant: str, message: str, attempt: int, state: str, *, receipt: str | None = None, error: str | None = None
) -> bool:
    """Writes down what became of an attempt: the commit after the wire. False when another attempt has taken over."""
    params = {"tenant": tenant, "message": message, "attempt": attempt, "state": state, "receipt": receipt, "error": error}
    return bool((await db.call("messages/end_send", dict, params))["ended"])


async def decide_send(db: Database, tenant: str, message: str, verb: str, member: str) -> str:
    """A member's word on an uncertain send. Returns the session to wake, `not_found` or `conflict`."""
    params = {"tenant": tenant, "message": message, "verb": verb, "copy": new_id("msg"), "member": member}
    return str((await db.call("messages/decide_send", dict, params))["session"])


async def append_outbound(db: Database, tenant: str, conversation: str, text: str, member: str, *, commit_delivers: bool) -> tuple[str, str | None]:
    """A member's own words. Returns the message's id and the session to wake. Raises NotFound."""
    message = new_id("msg")
    params = {"tenant": tenant, "conversation": conversation, "message": message, "text": text, "member": member, "commit_delivers": commit_delivers}
    return message, (await db.call("messages/append_outbound", dict, params))["session"]


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
