"""The application: routers, middleware, and what is open while it serves."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from fastapi import FastAPI, Request, Response

import traces
from api import (
    accounts,
    agents,
    approvals,
    audit,
    bindings,
    channels,
    chat,
    conversations,
    docs,
    errors,
    events,
    health,
    keys,
    messages,
    people,
    sessions,
    status,
    tour,
    webhooks,
)  # fmt: skip
from api.console import pages
from api.hub import Hub
from api.metrics import REQUESTS, Watch
from api.openapi import Application
from parts import Parts

log = structlog.get_logger()
ROUTERS = (
    health.router, status.router, channels.router, accounts.router, bindings.router, agents.router, conversations.router, messages.router,
    sessions.router, approvals.router, events.router, people.router, keys.router, audit.router, webhooks.router, chat.router, pages.router,
    tour.router, docs.router,
)  # fmt: skip
HEADERS = {
    "content-security-policy": "default-src 'self'; connect-src 'self'; img-src 'self' data:; style-src 'self'; script-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}
"""What an answer says unless it says otherwise itself."""
HTTPS_ONLY = "max-age=31536000"
LARGEST_BODY = 1_000_000
"""Bytes a request may hold; more is refused before it is read."""
LONGEST_NUMBER = 18
"""Digits of a length that are worth reading as a number."""


def create_app(opened: Callable[[], AbstractAsyncContextManager[Parts]]) -> FastAPI:
    """The application over the parts that `opened` opens when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened() as parts:
            app.state.parts = parts
            app.state.watch = Watch(parts.db)
            app.state.hub = Hub(parts.settings.database_url.get_secret_value())
            listening = asyncio.create_task(app.state.hub.listen())
            try:
                yield
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    app = Application(
        title="Switchboard", version="0.1.0", summary="Messaging channels to AI agents, durably.", lifespan=lifespan,
        docs_url=None, redoc_url=None, openapi_url=None,
    )  # fmt: skip
    errors.install(app, ROUTERS)
    app.middleware("http")(_around)
    for router in ROUTERS:
        app.include_router(router, max_body_size=LARGEST_BODY)
    docs.mount_assets(app)
    pages.mount_static(app)
    return app


async def _around(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    """Security headers, a request id, a count, and one line of log without any content."""
    began, request_id = time.perf_counter(), secrets.token_hex(8)
    with traces.span(request.method, "server", caller=request.headers.get("traceparent", "")) as mark:
        response = _too_large() if _announces_too_much(request) else await call_next(request)
        route, took = getattr(request.scope.get("route"), "path", "unknown"), time.perf_counter() - began
        _tell(mark, request.method, route, response.status_code, request_id)
        REQUESTS.labels(request.method, route, response.status_code).observe(took)
        log.info("api.answered", method=request.method, route=route, status=response.status_code, took_ms=round(took * 1e3, 1), request_id=request_id)
    response.headers["x-request-id"] = request_id
    response.headers.update({name: value for name, value in HEADERS.items() if name not in response.headers})
    if request.url.scheme == "https":
        response.headers["strict-transport-security"] = HTTPS_ONLY
    return response


def _announces_too_much(request: Request) -> bool:
    length = request.headers.get("content-length", "0")
    return length.isascii() and length.isdigit() and (len(length) > LONGEST_NUMBER or int(length) > LARGEST_BODY)


def _too_large() -> Response:
    return errors.problem(413, "too_large", f"A request may hold {LARGEST_BODY} bytes.")


def _tell(mark: traces.Mark, method: str, route: str, status: int, request_id: str) -> None:
    mark.name(f"{method} {route}")
    mark.tell(method=method, route=route, status=status, request=request_id)
    if status >= 500:
        mark.fail(str(status))
