"""How a noun's router is made: unknown query parameters and values that cannot be kept are refused, and a POST honours Idempotency-Key."""

import math
import re
from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from api.idempotency import Idempotent
from domain.errors import Invalid


def noun(path: str, tag: str) -> APIRouter:
    """A router under a path, such as /v1/accounts."""
    return APIRouter(prefix=path, tags=[tag], route_class=Idempotent, dependencies=[Depends(known_query), Depends(keepable_body)])


def known_query(request: Request) -> None:
    """A misspelt filter would answer everything, so it is refused. Raises Invalid with the parameter named."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    unknown = sorted(set(request.query_params) - {param.alias for param in get_flat_params(route.dependant)})
    if unknown:
        raise Invalid(f"There is no parameter {unknown[0]} here.", field=unknown[0])


async def keepable_body(request: Request) -> None:
    """Python reads NaN, and text that Postgres cannot keep; nobody else does. Raises Invalid with the field named."""
    if "json" not in request.headers.get("content-type", "") or not await request.body():
        return
    try:
        waiting: list[tuple[str, Any]] = [("", await request.json())]
    except (ValueError, RecursionError):
        return  # a body that the operation does not read: what it reads was refused before
    while waiting:
        where, value = waiting.pop()
        match value:
            case dict():
                waiting += [(f"{where}.{name}", one) for name, one in value.items()] + [(f"{where}.", name) for name in value]
            case list():
                waiting += [(f"{where}.{n}", one) for n, one in enumerate(value)]
            case str() if UNKEPT.search(value):
                raise Invalid("Text cannot hold NUL, nor half of a surrogate pair.", field=_named(where))
            case float() if not math.isfinite(value):
                raise Invalid("A number has to be a finite one.", field=_named(where))


def _named(where: str) -> str:
    return UNKEPT.sub("\ufffd", where).strip(".") or "body"


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: what else an operation may answer, each a problem document."""
    return {status: {"description": MEANINGS[status], "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}}} for status in statuses}


UNKEPT = re.compile("[\x00\ud800-\udfff]")
PROBLEM = "#/components/schemas/Problem"
MEANINGS = {
    401: "Nobody is signed in, or the signature does not fit.",
    403: "The role does not allow it.",
    404: "There is no such thing for this tenant.",
    409: "Its state does not allow this; `code` says which.",
    412: "It was changed since it was read.",
    413: "The body is larger than a request may be.",
    422: "A field is not accepted; `field` names it.",
    428: "If-Match is missing.",
    503: "Postgres does not answer; try again.",
}
