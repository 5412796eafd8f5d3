"""A program at the other end of the channel `webhook`: a real HTTP server that checks signatures and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgb2Ygbm9ib2R5"


@dataclass
class Answer:
    """What one call is answered with, once `when` has happened; `times` calls in a row, for messages with these words only."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    when: asyncio.Event | None = None
    words: str = ""
    times: int = 1


@dataclass
class Receiver:
    """Every verified call, in order, and what is to be answered next; 200 where nothing is."""

    url: str = ""
    calls: list[dict[str, Any]] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    """The texts that were answered with 200."""
    answers: list[Answer] = field(default_factory=list)

    async def was_called(self, times: int) -> None:
        """Returns when it was called so often."""
        while len(self.calls) < times:
            await asyncio.sleep(0.01)

    async def called(self, request: Request) -> Response:
        """One delivery. The signature is checked as the standard's own library does."""
        body = await request.body()
        message: dict[str, Any] = Webhook(SECRET).verify(body, dict(request.headers))
        self.calls.append(message)
        answer = next((one for one in self.answers if one.words in message["text"]), None) or Answer()
        answer.times -= 1
        if answer.times == 0 and answer in self.answers:
            self.answers.remove(answer)
        if answer.when:
            await answer.when.wait()
        if answer.status == 200:
            self.taken.append(message["text"])
        return Response(status_code=answer.status, headers=answer.headers)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """A receiver on a port of its own."""
    receiver = Receiver()
    app = Starlette(routes=[Route("/deliver", receiver.called, methods=["POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, access_log=False, timeout_graceful_shutdown=1))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    receiver.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/deliver"
    try:
        yield receiver
    finally:
        server.should_exit = True
        await serving
