"""Messages and conversations as they are shown."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from domain.errors import NotFound
from store.conversations import ConversationRow, State
from store.messages import MessageRow


class Address(BaseModel):
    """Where a conversation takes place."""

    account_id: str
    chat: str
    thread: str


class ConversationView(BaseModel):
    """The messages at one address, and where they go. `peer` is who wrote there first."""

    id: str
    account_id: str
    channel: str
    address: Address
    state: State
    session_id: str | None
    peer: str
    last_seq: int
    created_at: datetime
    updated_at: datetime


class ConversationList(BaseModel):
    """A page of conversations."""

    items: list[ConversationView]
    next: str | None


class MessageView(BaseModel):
    """A message. `answered_by` names the outbound that answers it, `resend_of` the one it may be a duplicate of."""

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


class MessageList(BaseModel):
    """A page of messages, oldest first; `next` is the last seq."""

    items: list[MessageView]
    next: str | None


def conversation_view(row: ConversationRow | None) -> ConversationView:
    """A row as people see it. Raises NotFound for none."""
    if row is None:
        raise NotFound
    address = Address(account_id=row.account_id, chat=row.chat, thread=row.thread)
    return ConversationView(**row.model_dump(exclude={"chat", "thread"}), address=address)


def message_view(row: MessageRow | None) -> MessageView:
    """A row as people see it. Raises NotFound for none."""
    if row is None:
        raise NotFound
    return MessageView(**row.model_dump())
