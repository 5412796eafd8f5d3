"""Idempotency-Key: a request that was carried out is answered again as the first time, for a day. A refused one leaves its key free."""

import contextlib
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated, Any

import structlog
from fastapi import Header, Request, Response
from fastapi.routing import APIRoute

from api.deps import member, parts
from domain.errors import Invalid, SwitchboardError
from store import idempotency
from store.idempotency import Claim, Kept

HEADER = "Idempotency-Key"
LONGEST = 255
log = structlog.get_logger()
Answer = Callable[[Request], Awaitable[Response]]


KeyHere = Annotated[str | None, Header(alias=HEADER, max_length=LONGEST)]


def token(member_id: str, key: str | None) -> str:
    """What makes a repeated request recognisable in the store itself: the caller's key, or for none something new."""
    return hashlib.sha256(f"{member_id}\n{key}".encode()).hexdigest() if key else secrets.token_hex(16)


class Idempotent(APIRoute):
    """A route whose POST with an Idempotency-Key is carried out once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's answer, with the key honoured where one is sent."""
        answer = super().get_route_handler()

        async def once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            return await (answer(request) if key is None or request.method != "POST" else _once(request, key, answer))

        return once


async def _once(request: Request, key: str, answer: Answer) -> Response:
    """Raises what the request itself raises, Invalid for a key that is none, IdempotencyConflict or StillRunning."""
    seen, db = await member(request), parts(request).db
    if not 1 <= len(key) <= LONGEST:
        raise Invalid(f"A key has 1 to {LONGEST} characters.", field=HEADER)
    claimed = await idempotency.claim(db, seen.tenant_id, seen.key_id or seen.member_id, key, await _digest(request))
    if isinstance(claimed, Kept):
        return _replayed(request, claimed)
    try:
        response = await answer(request)
    except Exception:
        await _free(request, seen.tenant_id, claimed)
        raise
    if response.status_code < 400:
        await _keep(request, seen.tenant_id, claimed, response)
    else:
        await _free(request, seen.tenant_id, claimed)
    return response


async def _digest(request: Request) -> str:
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(said + await request.body()).hexdigest()


def _replayed(request: Request, kept: Kept) -> Response:
    body = parts(request).seal.open(kept.sealed)["body"]
    return Response(body, kept.status, media_type="application/json", headers={"Idempotent-Replayed": "true"})


async def _keep(request: Request, tenant: str, claimed: Claim, response: Response) -> None:
    sealed = parts(request).seal.close({"body": bytes(response.body).decode()})
    try:
        async with parts(request).db.transaction(tenant) as tx:
            await idempotency.keep(tx, claimed, response.status_code, sealed)
    except SwitchboardError as error:
        log.warning("idempotency.not_kept", error=type(error).__name__)


async def _free(request: Request, tenant: str, claimed: Claim) -> None:
    with contextlib.suppress(SwitchboardError):
        async with parts(request).db.transaction(tenant) as tx:
            await idempotency.free(tx, claimed)
