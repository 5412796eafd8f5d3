"""The edge between our errors and HTTP: problem+json (RFC 9457) with a stable `code`."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.routing import Route
from temporalio.service import RPCError

from domain.errors import Invalid, NotFound, SwitchboardError, TemporalUnavailable

log = structlog.get_logger()
CODES = {404: NotFound.code, 405: "method_not_allowed", 401: "unauthorized", 403: "forbidden", 413: "too_large"}


def problem(status: int, code: str, detail: str, **more: Any) -> JSONResponse:
    """One problem document. Members without a value are left out."""
    body = {"type": "about:blank", "title": code.replace("_", " "), "status": status, "code": code, "detail": detail}
    body |= {name: value for name, value in more.items() if value is not None}
    return JSONResponse(body, status, media_type="application/problem+json")


def of(error: SwitchboardError) -> JSONResponse:
    """An error of ours as a response; Retry-After where it says when."""
    answer = problem(error.status, error.code, error.detail, **error.extra)
    if error.retry_after is not None or error.status == 503:
        answer.headers["retry-after"] = str(int(error.retry_after or 1))
    if error.status == 401:
        answer.headers["www-authenticate"] = "Bearer"
    return answer


def install(app: FastAPI, routers: Sequence[APIRouter] = ()) -> None:
    """Every exception becomes a problem document; `routers` say which methods a path has."""

    @app.exception_handler(SwitchboardError)
    async def _ours(_: Request, error: SwitchboardError) -> JSONResponse:
        return of(error)

    @app.exception_handler(RPCError)
    async def _temporal(_: Request, __: RPCError) -> JSONResponse:
        return of(TemporalUnavailable())

    @app.exception_handler(RequestValidationError)
    async def _malformed(_: Request, error: RequestValidationError) -> JSONResponse:
        faults = [{"field": _field(e["type"], e["loc"]), "message": e["msg"].removeprefix("Value error, ")} for e in error.errors()]
        first = faults[0]
        return problem(422, Invalid.code, f"{first['field']}: {first['message']}", field=first["field"], errors=faults)

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 400:
            return of(Invalid("The body cannot be read: it has to be JSON in UTF-8, and not nested without end.", field="body"))
        answer = problem(error.status_code, CODES.get(error.status_code, "refused"), str(error.detail))
        answer.headers.update(error.headers or {})
        if error.status_code == 405 and (methods := _methods(routers, request.url.path)):
            answer.headers["allow"] = ", ".join(methods)
        return answer

    @app.exception_handler(Exception)
    async def _unknown(_: Request, error: Exception) -> JSONResponse:
        log.exception("api.failed", error=type(error).__name__)
        return problem(500, SwitchboardError.code, (SwitchboardError.__doc__ or "").strip())


def _methods(routers: Sequence[APIRouter], path: str) -> list[str]:
    """What a path may be asked by; each route by itself knows its own methods only."""
    routes = (route for router in routers for route in router.routes if isinstance(route, Route) and route.path_regex.match(path))
    return sorted({method for route in routes for method in route.methods or ()})


def _field(fault: str, where: tuple[int | str, ...]) -> str:
    """The field of a fault as the caller knows it; the whole body where that is no JSON."""
    return "body" if fault == "json_invalid" else ".".join(map(str, where[1:])) or str(where[0])
