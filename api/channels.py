"""Channels over HTTP: which kinds there are, what they can do and what an account of each needs; and what is open now."""

from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel

from api.deps import HubHere, Member, PageHere, PartsHere
from api.routers import noun
from channels import Channel, ReadsBack, ReceivesWebhooks
from store import accounts

router: APIRouter = noun("/v1", "channels")


class ChannelView(BaseModel):
    """A kind of channel. `settings` and `secrets` are JSON schemas of what an account needs; `debounce` is in seconds, `chunk` in characters."""

    name: str
    title: str
    commit_delivers: bool
    streams: bool
    webhooks: bool
    reads_back: bool
    chunk: int
    debounce: float
    settings: dict[str, Any]
    secrets: dict[str, Any]


class ChannelList(BaseModel):
    """Every kind, on one page."""

    items: list[ChannelView]
    next: str | None = None


class ConnectionView(BaseModel):
    """How an account stands. `open_chats` counts the web chat sockets of the one API process that answers, not of all of them."""

    id: str
    account_id: str
    channel: str
    name: str
    state: str
    open_chats: int


class ConnectionList(BaseModel):
    """A page of connections."""

    items: list[ConnectionView]
    next: str | None


@router.get("/channels")
async def list_channels(parts: PartsHere, member: Member) -> ChannelList:
    """Every kind of channel."""
    return ChannelList(items=[view(channel) for _, channel in sorted(parts.channels.items())])


@router.get("/connections")
async def list_connections(parts: PartsHere, hub: HubHere, member: Member, page: PageHere) -> ConnectionList:
    """Every account with its state and the web chat sockets that are open in this process."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await accounts.listed(tx, before=page.before, limit=page.limit)
    items = [row.model_dump() | {"account_id": row.id, "open_chats": hub.open_chats.get(row.id, 0)} for row in rows]
    return ConnectionList.model_validate(page.of(items))


def view(channel: Channel) -> ChannelView:
    """A kind as it is shown."""
    return ChannelView(
        name=channel.name,
        title=channel.title,
        commit_delivers=channel.commit_delivers,
        streams=channel.streams,
        webhooks=isinstance(channel, ReceivesWebhooks),
        reads_back=isinstance(channel, ReadsBack),
        chunk=channel.chunk,
        debounce=channel.debounce,
        settings=channel.settings.model_json_schema(),
        secrets=channel.secrets.model_json_schema(),
    )
