"""Conversations over HTTP: listed, read, written in by members, admitted or refused."""

import json
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from api.deps import Member, PageHere, PartsHere
from api.idempotency import Once
from api.message_views import ConversationList, ConversationView, MessageList, MessageView, conversation_view, message_view
from api.routers import noun
from api.session_views import Words
from channels import Channel
from domain.errors import Invalid
from parts import Parts
from store import conversations, messages
from store.conversations import State

router: APIRouter = noun("/v1/conversations", "conversations")
Seq = Annotated[int, Query(ge=0, le=2**53)]
SeqCursor = Annotated[str | None, Query(alias="cursor", pattern=r"^[0-9]{1,15}$")]
MessageState = Literal[
    "accepted", "held", "pending", "answered", "refused", "cancelled", "parked", "intent", "sending", "sent", "delivered", "read", "failed", "unknown"
]


class Word(BaseModel):
    """The owner's word on an unknown peer."""

    model_config = ConfigDict(extra="forbid")

    verdict: Literal["admit", "refuse"]


async def conversation(conversation_id: str, parts: PartsHere, member: Member) -> ConversationView:
    """The conversation that the path names. Raises NotFound."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return conversation_view(await conversations.one(tx, conversation_id))


ConversationHere = Annotated[ConversationView, Depends(conversation)]


@router.get("")
async def list_conversations(
    parts: PartsHere, member: Member, page: PageHere, state: State | None = None,
    account_id: Annotated[str | None, Query(max_length=64)] = None, session_id: Annotated[str | None, Query(max_length=64)] = None,
) -> ConversationList:  # fmt: skip
    """Conversations, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await conversations.listed(tx, state=state, account=account_id, session=session_id, before=page.before, limit=page.limit)
    return ConversationList.model_validate(page.of([conversation_view(row).model_dump() for row in rows]))


@router.get("/{conversation_id}")
async def get_conversation(found: ConversationHere) -> ConversationView:
    """One conversation."""
    return found


@router.get("/{conversation_id}/messages")
async def list_messages(
    found: ConversationHere, parts: PartsHere, member: Member, after: Seq = 0, cursor: SeqCursor = None,
    state: MessageState | None = None, direction: Literal["inbound", "outbound"] | None = None, limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> MessageList:  # fmt: skip
    """Its messages in order, after a seq."""
    behind = max(after, int(cursor or 0))
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await messages.listed(tx, found.id, after=behind, state=state, direction=direction, limit=limit)
    return MessageList(items=[message_view(row) for row in rows], next=str(rows[-1].seq) if len(rows) == limit else None)


@router.post("/{conversation_id}/messages", status_code=201)
async def send_message(said: Words, found: ConversationHere, parts: PartsHere, member: Member, once: Once) -> MessageView:
    """Writes in it as a member; delivered in order, like what an agent says."""
    channel = _carries(parts, found.channel, said.text)
    spoken = await messages.append_outbound(
        parts.db,
        member.tenant_id,
        found.id,
        said.text,
        member.member_id,
        external_id=json.dumps(["member", once]),
        commit_delivers=channel.commit_delivers,
    )
    return await told(parts, member, spoken)


@router.post("/{conversation_id}/admit")
async def admit_conversation(word: Word, conversation_id: str, parts: PartsHere, member: Member) -> ConversationView:
    """Lets whoever writes here in, and routes what was held; or refuses it, and what else comes here."""
    await conversations.admit(parts.db, member.tenant_id, conversation_id, word.verdict, member.member_id)
    parts.inbox.wake(member.tenant_id, "routing", conversation_id)
    parts.notices.tell(member.tenant_id, conversation_id)
    return await conversation(conversation_id, parts, member)


async def told(parts: Parts, member: Member, spoken: messages.Spoken) -> MessageView:
    """Wakes who has to hear of a member's word, and shows the message it is about."""
    parts.inbox.wake(member.tenant_id, spoken.wake, spoken.wake_id)
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await messages.one(tx, spoken.message_id or "")
    seen = message_view(row)
    parts.notices.tell(member.tenant_id, seen.conversation_id)
    return seen


def _carries(parts: Parts, name: str, text: str) -> Channel:
    """The channel, if one message of it holds so much. Raises Invalid."""
    channel = parts.channels[name]
    if len(text) > channel.chunk:
        raise Invalid(f"One message on this channel holds {channel.chunk} characters.", field="text")
    return channel
