"""Answers kept for an Idempotency-Key: one request each, for a day."""

from datetime import datetime

from pydantic import BaseModel

from domain.errors import IdempotencyConflict, StillRunning
from store.pool import Database, Transaction

BROKEN_AFTER = 60.0
"""Seconds without an answer after which a request counts as broken off, and may be carried out again."""


class Claim(BaseModel):
    """The right to carry a request out: whoever took it over since has another `claimed_at`, and the same `first_at`."""

    actor: str
    key: str
    claimed_at: datetime
    first_at: datetime


class Kept(BaseModel):
    """The answer that a request was given, sealed."""

    status: int
    sealed: bytes


async def claim(db: Database, tenant: str, actor: str, key: str, sha256: str) -> Claim | Kept:
    """Takes a request on, or finds its answer. Raises IdempotencyConflict for another request, StillRunning for one without an answer yet."""
    async with db.transaction(tenant) as tx:
        taken = await tx.row("idempotency/claim", dict, actor=actor, key=key, sha256=sha256, broken_after=BROKEN_AFTER)
        found = await tx.row("idempotency/one", dict, actor=actor, key=key)
    if taken:
        return Claim(actor=actor, key=key, **taken)
    if found and found["request_sha256"] != sha256:
        raise IdempotencyConflict
    if found is None or found["status"] is None:
        raise StillRunning(retry_after=1)
    return Kept(status=found["status"], sealed=found["sealed"])


async def keep(tx: Transaction, claim: Claim, status: int, sealed: bytes) -> None:
    """Keeps the answer, unless the request was taken over meanwhile."""
    await tx.run("idempotency/keep", **_named(claim), status=status, sealed=sealed)


async def free(tx: Transaction, claim: Claim) -> None:
    """Gives a key back whose request was refused: nothing was done."""
    await tx.run("idempotency/free", **_named(claim))


async def put_off(tx: Transaction, claim: Claim) -> None:
    """Lets the same request be carried out at once again: nobody knows what became of it."""
    await tx.run("idempotency/put_off", **_named(claim))


def _named(claim: Claim) -> dict[str, object]:
    return claim.model_dump(exclude={"first_at"})
