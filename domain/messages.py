"""Messages: what comes in, what was accepted, and what a delivery attempt amounts to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_TEXT = 16_000
"""The longest inbound text, in characters; longer is refused with a clear error."""


class Frozen(BaseModel):
    """A value that does not change."""

    model_config = ConfigDict(frozen=True)


class Inbound(Frozen):
    """One message as an adapter understood it.

    `external_id` is the adapter's canonical key: it holds the visitor or chat, the id given there and the kind of event, so
    that ids which a client or a chat chooses cannot collide across people.
    """

    tenant_id: str
    account_id: str
    chat: str = Field(min_length=1, max_length=512)
    thread: str = Field(default="", max_length=512)
    sender: str = Field(default="", max_length=512)
    sender_name: str = Field(default="", max_length=256)
    external_id: str = Field(min_length=1, max_length=1024)
    kind: Literal["text", "note"] = "text"
    text: str = Field(max_length=MAX_TEXT)
    payload: Mapping[str, Any] = Field(default_factory=dict)
    at_once: bool = False
    """True for buttons and the like: the account's debounce does not apply."""


class Accepted(Frozen):
    """What became of an inbound message: its place, and whose workflow has to be woken (`session`, `routing` or nobody)."""

    message_id: str
    seq: int
    duplicate: bool
    conversation_id: str
    session_id: str | None
    wake: Literal["session", "routing"] | None


class Sending(Frozen):
    """A message on its way out. `again` means an earlier attempt broke off after it began, so it may have been sent."""

    status: Literal["none", "first", "again"]
    message_id: str | None = None
    account_id: str | None = None
    chat: str | None = None
    thread: str | None = None
    text: str | None = None
    payload: Mapping[str, Any] | None = None
    attempt: int | None = None
    resend_of: str | None = None
    accepted_at: datetime | None = None
    began_at: datetime | None = None
    """When this attempt began, by the clock of the store, which is the one that goes for ages."""


class Receipt(Frozen):
    """The channel's word that it took a message: its own id for it."""

    id: str
