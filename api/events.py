"""Everything a console needs to stay current: a stream that resumes where it broke off."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header
from sse_starlette import EventSourceResponse, ServerSentEvent

from api.deps import HubHere, Member, PartsHere
from api.hub import Hub, either
from domain.errors import Invalid, StoreUnavailable
from parts import Parts
from store import events

router = APIRouter(prefix="/v1/events", tags=["events"])
POLL = 3.0


@router.get("", response_class=EventSourceResponse)
async def follow_events(
    parts: PartsHere, hub: HubHere, member: Member, last_event_id: Annotated[str | None, Header(max_length=64)] = None
) -> EventSourceResponse:  # fmt: skip
    """What changes, as server-sent events: `event` is the kind, `data` holds ids and states only. Resumes by Last-Event-ID."""
    cursor = _cursor(last_event_id) if last_event_id else None
    return EventSourceResponse(_stream(parts, hub, member.tenant_id, cursor), ping=15, headers={"cache-control": "no-store"})


async def _stream(parts: Parts, hub: Hub, tenant: str, cursor: events.Cursor | None) -> AsyncIterator[ServerSentEvent]:
    with hub.waiting(tenant) as event:
        while True:
            try:
                async with parts.db.transaction(tenant) as tx:
                    cursor = cursor or await events.newest(tx)
                    rows = await events.after(tx, cursor)
            except StoreUnavailable:
                rows = []
            for row in rows:
                cursor = events.Cursor(row.xid, row.id)
                yield ServerSentEvent(row.model_dump_json(exclude={"xid", "id"}), event=row.kind, id=f"{row.xid}-{row.id}")
            if not rows:
                await either(event, POLL)


def _cursor(given: str) -> events.Cursor:
    xid, _, id_ = given.partition("-")
    if not (xid.isdigit() and id_.isdigit()):
        raise Invalid("Last-Event-ID is not one of ours.", field="Last-Event-ID")
    return events.Cursor(xid, int(id_))
