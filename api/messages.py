"""Messages over HTTP: what a member decides about a send that is not certain."""

from fastapi import APIRouter

from api.conversations import told
from api.deps import Member, PartsHere
from api.message_views import MessageView
from api.routers import noun
from store import messages

router: APIRouter = noun("/v1/messages", "messages")


@router.post("/{message_id}/resend")
async def resend_message(message_id: str, parts: PartsHere, member: Member) -> MessageView:
    """Sends it again as a message of its own, labelled as a possible repetition. A parked inbound message is taken up again instead."""
    return await told(parts, member, await messages.decide_send(parts.db, member.tenant_id, message_id, "resend", member.member_id))


@router.post("/{message_id}/mark-sent")
async def mark_message_sent(message_id: str, parts: PartsHere, member: Member) -> MessageView:
    """Says that it arrived, as the member knows."""
    return await told(parts, member, await messages.decide_send(parts.db, member.tenant_id, message_id, "mark-sent", member.member_id))


@router.post("/{message_id}/drop")
async def drop_message(message_id: str, parts: PartsHere, member: Member) -> MessageView:
    """Leaves it unsent for good."""
    return await told(parts, member, await messages.decide_send(parts.db, member.tenant_id, message_id, "drop", member.member_id))
