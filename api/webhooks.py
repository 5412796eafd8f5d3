"""What channels call: the signature is checked, each message is accepted in order, then it is answered."""

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from api.deps import PartsHere
from api.metrics import ACCEPT_SECONDS, ACCEPTED, UNKNOWN_EVENTS
from api.routers import problems
from channels import AccountSeen, ReceivesWebhooks
from domain.errors import AccountDisconnected, NotFound
from domain.messages import Accepted, Inbound
from parts import Parts
from store import accounts
from store.accounts import AccountRow

router = APIRouter(prefix="/webhooks", tags=["webhooks"])


class Received(BaseModel):
    """How many messages of a call were stored, and how many had been before. None of both: an event of a kind that is not known here."""

    accepted: int
    duplicates: int


class Here(BaseModel):
    """What listens at an address."""

    channel: str
    account_id: str
    accepts: str = "signed POST"


class Receiving(BaseModel):
    """An account that may be called, with the channel that understands the call."""

    model_config = {"arbitrary_types_allowed": True}

    tenant: str
    row: AccountRow
    channel: ReceivesWebhooks


async def receiving(channel: str, account_id: str, parts: PartsHere) -> Receiving:
    """Who is called. Raises NotFound unless the account is one of this channel, and the channel one that calls."""
    tenant = await accounts.tenant_of(parts.db, account_id)
    if tenant is None:
        raise NotFound
    async with parts.db.transaction(tenant) as tx:
        row = await accounts.one(tx, account_id)
    adapter = parts.channels.get(channel)
    if row is None or row.channel != channel or not isinstance(adapter, ReceivesWebhooks):
        raise NotFound
    return Receiving(tenant=tenant, row=row, channel=adapter)


Called = Annotated[Receiving, Depends(receiving)]


async def inbounds(called: Called, request: Request, parts: PartsHere) -> list[Inbound]:
    """The messages of a call, its signature checked first. Raises BadSignature, Invalid, AccountDisconnected."""
    row = called.row
    seen = AccountSeen(tenant_id=called.tenant, id=row.id, settings=row.settings, secrets=parts.seal.open(row.sealed))
    found = list(called.channel.receive(seen, dict(request.headers), await request.body()))
    if row.state != "connected":
        raise AccountDisconnected
    return found


@router.get("/{channel}/{account_id}", responses=problems(503))
async def webhook_address(called: Called) -> Here:
    """Says that this is the right address; messages come by signed POST."""
    return Here(channel=called.row.channel, account_id=called.row.id)


@router.post("/{channel}/{account_id}", responses=problems(401, 409, 503))
async def receive_webhook(channel: str, found: Annotated[list[Inbound], Depends(inbounds)], parts: PartsHere) -> Received:
    """Stores what a channel delivers, once and in order; 503 asks the channel to come again."""
    stored = [await _accept(parts, channel, inbound) for inbound in found]
    UNKNOWN_EVENTS.labels(channel).inc(not found)
    duplicates = sum(accepted.duplicate for accepted in stored)
    return Received(accepted=len(stored) - duplicates, duplicates=duplicates)


async def _accept(parts: Parts, channel: str, inbound: Inbound) -> Accepted:
    began = time.perf_counter()
    accepted = await parts.inbox.accept(inbound)
    ACCEPT_SECONDS.observe(time.perf_counter() - began)
    ACCEPTED.labels(channel, accepted.duplicate).inc()
    return accepted
