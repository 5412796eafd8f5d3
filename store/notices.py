"""Hints that something changed: NOTIFY after the commit, ids only, batched. Whoever misses one finds out by looking."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import structlog
from psycopg import AsyncConnection

CHANNEL = "switchboard"
log = structlog.get_logger()


def inbound_of(conversation: str) -> str:
    """The subject of hints that somebody wrote in a conversation: most who follow it wait for answers only, and need not look."""
    return f"{conversation}/inbound"


class Notices:
    """Sends hints from this process; `tell` never waits and never fails."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: set[str] = set()
        self._some = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def tell(self, tenant: str, conversation: str = "-") -> None:
        """Says that something of a tenant, and of this conversation (or `inbound_of` it), changed."""
        self._waiting.add(f"{tenant} {conversation}")
        self._some.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stops; hints not yet sent are lost, as hints may be."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        while True:
            try:
                async with await AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute("set synchronous_commit = off")
                    await self._drain(connection)
            except psycopg.OperationalError:
                await asyncio.sleep(1)

    async def _drain(self, connection: AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            batch, self._waiting = self._waiting, set()
            try:
                await connection.execute("select pg_notify(%s, hint) from unnest(%s::text[]) as hint", (CHANNEL, sorted(batch)), prepare=True)
            except psycopg.OperationalError:
                self._waiting |= batch
                self._some.set()
                raise


async def heard(url: str) -> AsyncIterator[tuple[str, str]]:
    """Hints as they come, (tenant, conversation); ("", "") after every (re)connection, when anything may have been missed."""
    while True:
        try:
            async with await AsyncConnection.connect(url, autocommit=True) as connection:
                await connection.execute(f"listen {CHANNEL}")
                yield "", ""
                async for notice in connection.notifies():
                    tenant, _, conversation = notice.payload.partition(" ")
                    yield tenant, conversation
        except psycopg.OperationalError:
            log.warning("notices.lost")
        await asyncio.sleep(0.5)
