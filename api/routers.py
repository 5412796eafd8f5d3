"""How a noun's router is made: unknown query parameters are refused, and a POST honours Idempotency-Key."""

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from api.idempotency import Idempotent
from domain.errors import Invalid


def noun(path: str, tag: str) -> APIRouter:
    """A router under a path, such as /v1/accounts."""
    return APIRouter(prefix=path, tags=[tag], route_class=Idempotent, dependencies=[Depends(known_query)])


def known_query(request: Request) -> None:
    """A misspelt filter would answer everything, so it is refused. Raises Invalid with the parameter named."""
    if not request.query_params:
        return
    route: APIRoute = request.scope["route"]
    unknown = sorted(set(request.query_params) - {param.alias for param in get_flat_params(route.dependant)})
    if unknown:
        raise Invalid(f"There is no parameter {unknown[0]} here.", field=unknown[0])


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses=`: what else an operation may answer, each a problem document."""
    return {status: {"description": MEANINGS[status], "content": {"application/problem+json": {"schema": {"$ref": PROBLEM}}}} for status in statuses}


PROBLEM = "#/components/schemas/Problem"
MEANINGS = {
    401: "Nobody is signed in, or the signature does not fit.",
    403: "The role does not allow it.",
    404: "There is no such thing for this tenant.",
    409: "Its state does not allow this; `code` says which.",
    412: "It was changed since it was read.",
    422: "A field is not accepted; `field` names it.",
    428: "If-Match is missing.",
    503: "Postgres does not answer; try again.",
}
