"""A web chat's visitor of either kind."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.attack.target import Target

PATIENCE = 60.0
_numbers = itertools.count(1)


class Visitor:
    """An open socket after its hello."""

    def __init__(self, wire: ClientConnection, hello: dict[str, Any]) -> None:
        self.wire, self.name, self.token = wire, hello["visitor"], hello["token"]

    async def heard(self, kind: str) -> dict[str, Any]:
        """The next frame of a kind; what comes between is passed over."""
        return await heard(self.wire, kind)

    async def writes(self, text: str) -> dict[str, Any]:
        """Writes, and waits for the acknowledgement of just that."""
        id_ = f"good {next(_numbers)}"
        await self.wire.send(json.dumps({"id": id_, "text": text}))
        while (ack := await self.heard("ack"))["id"] != id_:
            pass
        return ack

    async def asks(self, word: str) -> None:
        """Has a word echoed: stored, thought about and answered."""
        await self.writes(f"echo {word}")
        while (await self.heard("message"))["text"] != word:
            pass


async def heard(wire: ClientConnection, kind: str) -> dict[str, Any]:
    """The next frame of a kind on a wire."""
    async with asyncio.timeout(PATIENCE):
        while (frame := json.loads(await wire.recv()))["type"] != kind:
            pass
    return dict(frame)


@asynccontextmanager
async def visitor(target: Target, account: str = "", **hello: Any) -> AsyncIterator[Visitor]:
    """Somebody who opens a chat as pages do."""
    async with connect(url(target, account), max_size=None, open_timeout=PATIENCE) as wire:
        await wire.send(json.dumps({"type": "hello"} | hello))
        yield Visitor(wire, await heard(wire, "hello"))


def url(target: Target, account: str = "") -> str:
    """Where an account's chat is."""
    return target.chat_url.replace(target.account, account or target.account)


@asynccontextmanager
async def served_beside(target: Target) -> AsyncIterator[None]:
    """A good client that asks all the while; every one of its questions is answered."""
    ends, answered = asyncio.Event(), []

    async def goes_on() -> None:
        async with visitor(target) as good:
            while not ends.is_set() or not answered:
                await good.asks(word := f"beside{next(_numbers)}")
                answered.append(word)

    asking = asyncio.create_task(goes_on())
    try:
        yield
    finally:
        ends.set()
        await asking
    assert answered
