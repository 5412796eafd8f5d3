"""People at the web chat, for measuring: each knows when a message was acknowledged and when it was answered."""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

import websockets


class Person:
    """One socket. `token` and `after` let the same visitor come back where it was; `also` is what it is told besides; `hears` gets every frame."""

    def __init__(
        self, url: str, token: str | None = None, after: int = 0, *, also: Sequence[str] = (), hears: Callable[[str], None] | None = None
    ) -> None:
        self._url, self.token, self.after = url, token, after
        self._also, self._hears = list(also), hears
        self._numbers = itertools.count(1)
        self._socket: Any = None
        self.outbound: asyncio.Queue[tuple[float, str]] = asyncio.Queue()
        self.acks: asyncio.Queue[float] = asyncio.Queue()
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> "Person":
        self._socket = await websockets.connect(self._url, open_timeout=30, max_queue=None)
        hello = {"type": "hello", "after": self.after, "also": self._also}
        await self._socket.send(json.dumps(hello | ({"token": self.token} if self.token else {})))
        self.token = json.loads(await self._socket.recv())["token"]
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._reading:
            self._reading.cancel()
        await self._socket.close()

    async def write(self, text: str) -> None:
        """Sends a message; its acknowledgement and answer come by themselves."""
        await self._socket.send(json.dumps({"id": f"{time.time_ns()}-{next(self._numbers)}", "text": text}))

    async def say(self, text: str) -> tuple[float, float]:
        """Seconds until a message was acknowledged, and until it was answered."""
        began = time.perf_counter()
        await self.write(text)
        acked = await self.acks.get()
        answered, _ = await self.outbound.get()
        return acked - began, answered - began

    async def _read(self) -> None:
        async for raw in self._socket:
            frame, now = json.loads(raw), time.perf_counter()
            if self._hears:
                self._hears(raw)
            self.after = max(self.after, frame.get("seq", 0))
            if frame["type"] == "ack":
                self.acks.put_nowait(now)
            elif frame["type"] == "message" and frame["direction"] == "outbound":
                self.outbound.put_nowait((now, frame["text"]))


async def enter(people: Sequence[Person]) -> None:
    """Opens their sockets, some at a time."""
    for start in range(0, len(people), 25):
        await asyncio.gather(*(person.__aenter__() for person in people[start : start + 25]))


async def leave(people: Sequence[Person]) -> None:
    """Closes their sockets."""
    await asyncio.gather(*(person.__aexit__(None, None, None) for person in people), return_exceptions=True)
