"""A person at the web chat: keeps what is not acknowledged and sends it again, as the page does."""

import asyncio
import itertools
import json
from typing import Any

import websockets

from tests.crash.stack import PATIENCE, Stack

_names = itertools.count(1)


class Visitor:
    """Writes messages that have to be accepted, whatever is killed meanwhile. `seen` is every message frame, in order of arrival."""

    def __init__(self, stack: Stack, account: str = "") -> None:
        self._stack, self._account = stack, account
        self._unacked: dict[str, str] = {}
        self._token: str | None = None
        self._after = 0
        self.name = f"v{next(_names)}"
        self._count = itertools.count(1)
        self._task: asyncio.Task[None] | None = None
        self._sending: asyncio.Future[None] | None = None
        self._socket: Any = None
        self.accepted: dict[str, dict[str, Any]] = {}
        self.seen: list[dict[str, Any]] = []

    @property
    def heard(self) -> set[str]:
        """The messages that this person was shown."""
        return {frame["message_id"] for frame in self.seen}

    def start(self) -> None:
        """Connects, and again whenever the socket drops."""
        self._task = asyncio.create_task(self._live())

    async def stop(self) -> None:
        """Leaves."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def write(self, text: str) -> str:
        """Writes a message; returns its client id at once."""
        id_ = f"{self.name}-{next(self._count)}"
        self._unacked[id_] = text
        await self._send(id_)
        return id_

    async def all_accepted(self) -> list[str]:
        """Waits until everything written was acknowledged. Returns the messages' ids."""
        async with asyncio.timeout(PATIENCE):
            while self._unacked:
                await asyncio.sleep(0.05)
        return [frame["message_id"] for frame in self.accepted.values()]

    async def _send(self, id_: str) -> None:
        if self._socket is not None:
            try:
                await self._socket.send(json.dumps({"id": id_, "text": self._unacked[id_]}))
            except (websockets.ConnectionClosed, KeyError):
                return

    def _send_later(self, id_: str) -> None:
        self._sending = asyncio.ensure_future(self._send(id_))

    @property
    def _url(self) -> str:
        here = self._stack.chat_url
        return f"{here.rpartition('/')[0]}/{self._account}" if self._account else here

    async def _live(self) -> None:
        while True:
            try:
                async with websockets.connect(self._url, open_timeout=5, close_timeout=1) as socket:
                    hello = {"type": "hello", "also": ["inbound"], "after": self._after} | ({"token": self._token} if self._token else {})
                    await socket.send(json.dumps(hello))
                    await self._read(socket)
            except (OSError, TimeoutError, websockets.WebSocketException):
                pass
            finally:
                self._socket = None
            await asyncio.sleep(0.2)

    async def _read(self, socket: Any) -> None:
        async for raw in socket:
            frame = json.loads(raw)
            match frame["type"]:
                case "hello":
                    self._token, self._socket = frame["token"], socket
                    for id_ in list(self._unacked):
                        await self._send(id_)
                case "ack":
                    self._unacked.pop(frame["id"], None)
                    self.accepted[frame["id"]] = frame
                case "message":
                    self._after = max(self._after, frame["seq"])
                    self.seen.append(frame)
                case "error" if frame.get("id") in self._unacked and frame["code"].endswith("unavailable"):
                    asyncio.get_running_loop().call_later(0.3, self._send_later, frame["id"])
                case _:
                    pass
