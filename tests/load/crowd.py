"""Many people at the web chat at once, and what they are promised: an answer each, in order, once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeVar

import httpx

from bench.people import Person
from tests.crash.stack import Stack

T = TypeVar("T")
SOCKETS = 500
"""How many web chat sockets the stack lets in at a time."""
AT_ONCE = 50
"""How many people come through the door at a time, or write at the same moment."""
WITHIN = 300.0
"""Seconds that any one thing may take on a machine that has other things to do; an answer takes milliseconds."""
ALL_WITHIN = 900
"""Seconds that a test of many things may take there; it takes less than half a minute where there is nothing else to do."""


@asynccontextmanager
async def crowd(
    url: str, count: int, *, tokens: Sequence[str | None] = (), also: Sequence[str] = (), hears: Callable[[int, str], None] | None = None
) -> AsyncIterator[list[Person]]:
    """So many people, connected; they leave together. `tokens` let those of an earlier crowd come back; `hears` gets every frame of the n-th."""

    def ears(n: int) -> Callable[[str], None] | None:
        return (lambda raw: hears(n, raw)) if hears else None

    people = [Person(url, tokens[n] if tokens else None, also=also, hears=ears(n)) for n in range(count)]
    rooms = [AsyncExitStack() for _ in people]
    async with AsyncExitStack() as outside:
        outside.push_async_callback(lambda: asyncio.gather(*(room.aclose() for room in rooms)))
        await by_fifties([room.enter_async_context(person) for person, room in zip(people, rooms, strict=True)])
        yield people


async def by_fifties(work: Iterable[Awaitable[T]]) -> list[T]:
    """What all of it comes to, `AT_ONCE` under way at a time."""
    door = asyncio.Semaphore(AT_ONCE)

    async def one(piece: Awaitable[T]) -> T:
        async with door, asyncio.timeout(WITHIN):
            return await piece

    return await asyncio.gather(*map(one, work))


async def hears(person: Person) -> str:
    """What a person is told next."""
    async with asyncio.timeout(WITHIN):
        return (await person.outbound.get())[1]


async def asks(person: Person, text: str) -> str:
    """What a person writes, and is answered."""
    await person.write(text)
    return await hears(person)


async def answer(api: httpx.AsyncClient, session: str) -> str:
    """The first thing that a session says, read over HTTP."""
    async with asyncio.timeout(WITHIN):
        while True:
            told = (await api.get(f"/v1/sessions/{session}/history")).raise_for_status().json()["items"]
            said = [row["message"]["text"] for row in told if row["kind"] == "message" and row["message"]["direction"] == "outbound"]
            if said:
                return str(said[0])
            await asyncio.sleep(0.1)


def sockets(stack: Stack) -> int:
    """How many web chat sockets the API counts as open."""
    with stack.api as client:
        lines = client.get("/metrics").text.splitlines()
    return int(float(next(line.split()[1] for line in lines if line.startswith("switchboard_chat_sockets "))))
