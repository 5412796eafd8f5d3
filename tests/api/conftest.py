"""A receiver that a webhook account delivers to, and the account that is signed with its secret."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook as Signature

from tests.world import World

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Receiver(ThreadingHTTPServer):
    """Any program that takes what agents say."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Taking)
        self.taken: list[dict[str, Any]] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        """Where it takes them."""
        return f"http://127.0.0.1:{self.server_port}/"

    async def has(self, count: int) -> list[dict[str, Any]]:
        """What it took, as soon as there is so much."""
        for _ in range(1500):
            if len(self.taken) >= count:
                return self.taken
            await asyncio.sleep(0.02)
        raise AssertionError(f"only {len(self.taken)} of {count} came: {self.taken}")


class _Taking(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Receiver)
        server.taken.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Says nothing."""


class Hook:
    """A webhook account, and the program on its other side."""

    def __init__(self, world: World, account: dict[str, Any]) -> None:
        self.account, self._world, self._calls = account, world, 0

    @property
    def path(self) -> str:
        """Where it is called."""
        return f"/webhooks/webhook/{self.account['id']}"

    async def call(self, body: bytes, *, path: str = "", secret: str = SECRET, at: datetime | None = None) -> httpx.Response:
        """A signed call with this body."""
        self._calls += 1
        id_, at = f"call-{self._calls}", at or datetime.now(UTC)
        headers = {"webhook-id": id_, "webhook-timestamp": str(int(at.timestamp()))}
        headers["webhook-signature"] = Signature(secret).sign(id_, at, body.decode())
        async with httpx.AsyncClient(base_url=self._world.api_url, timeout=30) as client:
            return await client.post(path or self.path, content=body, headers=headers)

    async def write(self, text: str, *, id_: str = "1", chat: str = "bob", **more: Any) -> httpx.Response:
        """Someone writes."""
        return await self.call(json.dumps({"id": id_, "chat": chat, "text": text} | more).encode())


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """The other side of a webhook account."""
    server = Receiver()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
async def hook(live: World, receiver: Receiver) -> Hook:
    """An account of the channel `webhook` with default admission, bound to the demo agent."""
    asked = {"channel": "webhook", "name": "hook", "settings": {"deliver_url": receiver.url}, "secrets": {"secret": SECRET}}
    account = (await live.api.post("/v1/accounts", json=asked)).json()
    assert (await live.api.post("/v1/bindings", json={"account": "hook", "agent": "demo"})).status_code == 201
    return Hook(live, account)
