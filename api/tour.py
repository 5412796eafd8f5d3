"""The tour in the demo's chat: it has this machine's worker and API killed while an approval waits. For the owner, signed in, on the own machine."""

import os
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from api.deps import PartsHere, caller
from domain.errors import Forbidden, NotFound
from domain.hosts import is_loopback
from domain.roles import Member
from parts import Parts
from store import tour

router = APIRouter(prefix="/console/tour", include_in_schema=False)
REQUEST = "tour.kill"
"""The file in the data folder that `up` looks for; it kills, we only ask."""


class Seen(BaseModel):
    """Which process answers, and how often the refund of an approval was paid."""

    api: int
    paid: int


def offered(parts: Parts, member: Member | None) -> bool:
    """Whether this visitor is shown the tour: the owner, signed in at the console, where `up --demo` runs for this machine alone."""
    is_ours = parts.settings.tour and is_loopback(parts.settings.host)
    return bool(is_ours and member and member.csrf and "owner" in member.identities)


async def guide(request: Request, parts: PartsHere) -> Member:
    """The owner who takes the tour. Raises NotFound where there is none, Unauthorized, CsrfFailed, and Forbidden for everybody else."""
    if not parts.settings.tour or not is_loopback(parts.settings.host):
        raise NotFound
    member = await caller(request)
    if not offered(parts, member):
        raise Forbidden
    return member


Guide = Annotated[Member, Depends(guide)]


@router.get("")
async def see_tour(parts: PartsHere, member: Guide, approval: str = "") -> Seen:
    """What the tour shows: that another process answers, and what was paid."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return Seen(api=os.getpid(), paid=await tour.paid(tx, approval))


@router.post("/kill", status_code=202)
async def kill_for_tour(parts: PartsHere, member: Guide) -> Seen:
    """Asks `up` to kill this machine's worker and API, as kill -9 does; it starts them again."""
    (parts.settings.data_dir / REQUEST).touch()
    return Seen(api=os.getpid(), paid=0)
