"""Idempotency-Key: a request that was carried out is answered again as the first time, for a day. A refused one leaves its key free."""

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Annotated, Any

import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api.deps import member, parts
from domain.errors import Invalid, SwitchboardError
from store import idempotency
from store.idempotency import Claim, Kept
from store.pool import Transaction

HEADER = "Idempotency-Key"
LONGEST = 255
log = structlog.get_logger()
Answer = Callable[[Request], Awaitable[Response]]


def once(request: Request) -> str:
    """What makes a repeated request recognisable in the store itself: the same for every try under one key, else something new."""
    return str(getattr(request.state, "once", None) or secrets.token_hex(16))


Once = Annotated[str, Depends(once)]


class Idempotent(APIRoute):
    """A route whose POST with an Idempotency-Key is carried out once."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's answer, with the key honoured where one is sent."""
        answer = super().get_route_handler()

        async def answer_once(request: Request) -> Response:
            key = request.headers.get(HEADER)
            return await (answer(request) if key is None or request.method != "POST" else _once(request, key, answer))

        return answer_once


async def _once(request: Request, key: str, answer: Answer) -> Response:
    """Raises what the request itself raises, Invalid for a key that is none, IdempotencyConflict or StillRunning."""
    seen = await member(request)
    if not 1 <= len(key) <= LONGEST:
        raise Invalid(f"A key has 1 to {LONGEST} characters.", field=HEADER)
    actor = seen.key_id or seen.member_id
    claimed = await idempotency.claim(parts(request).db, seen.tenant_id, actor, key, await _digest(request))
    if isinstance(claimed, Kept):
        return _replayed(request, claimed)
    request.state.once = hashlib.sha256(f"{actor}\n{key}\n{claimed.first_at.isoformat()}".encode()).hexdigest()
    return await _carried_out(request, seen.tenant_id, claimed, answer)


async def _carried_out(request: Request, tenant: str, claimed: Claim, answer: Answer) -> Response:
    try:
        response = await answer(request)
    except Exception as error:
        await _leave(request, tenant, idempotency.free if _refused(error) else idempotency.put_off, claimed)
        raise
    if response.status_code < 400:
        await _leave(request, tenant, partial(_keep, request, response), claimed)
    else:
        await _leave(request, tenant, idempotency.free if response.status_code < 500 else idempotency.put_off, claimed)
    return response


def _refused(error: Exception) -> bool:
    """Whether nothing was done, for sure."""
    return isinstance(error, RequestValidationError | HTTPException) or (isinstance(error, SwitchboardError) and error.status < 500)


async def _digest(request: Request) -> str:
    said = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(said + await request.body()).hexdigest()


def _replayed(request: Request, kept: Kept) -> Response:
    body = parts(request).seal.open(kept.sealed)["body"]
    return Response(body, kept.status, media_type="application/json", headers={"Idempotent-Replayed": "true"})


async def _keep(request: Request, response: Response, tx: Transaction, claimed: Claim) -> None:
    sealed = parts(request).seal.close({"body": bytes(response.body).decode()})
    await idempotency.keep(tx, claimed, response.status_code, sealed)


async def _leave(request: Request, tenant: str, what: Callable[[Transaction, Claim], Awaitable[None]], claimed: Claim) -> None:
    """Writes down how a request ended. Where that cannot be, the key is free again after a minute."""
    try:
        async with parts(request).db.transaction(tenant) as tx:
            await what(tx, claimed)
    except SwitchboardError as error:
        log.warning("idempotency.not_kept", error=type(error).__name__)
