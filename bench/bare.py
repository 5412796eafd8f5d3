"""What everything is compared with: a bare Temporal loop on the same server, and a bare Postgres commit over HTTP. A process of its own.

    python -m bench.bare TEMPORAL_ADDRESS DATABASE_URL PORT

The loop is one workflow an entity: a signal, then two activities that do nothing (or one); the last of them says over HTTP's process
that the round is over, which costs no Temporal event. `POST /commit` inserts one row and answers after the commit.
"""

import asyncio
import sys
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

import uvicorn
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from bench.loop import Loop

QUEUE = "bare"
TABLE = "create table if not exists bench_bare (id bigint generated always as identity primary key, text text)"


@activity.defn
async def nothing(n: int) -> int:
    """Does nothing."""
    return n


@activity.defn
async def finish(entity: str) -> None:
    """Does nothing but let the round's caller go on."""
    Bare.finished[entity].set()


class Bare:
    """The two comparisons behind three routes."""

    finished: ClassVar[defaultdict[str, asyncio.Event]] = defaultdict(asyncio.Event)

    def __init__(self, address: str, database_url: str) -> None:
        self._address = address
        self._pool = AsyncConnectionPool(database_url, min_size=4, max_size=8, open=False, kwargs={"autocommit": True})
        self._client: Client | None = None

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """The worker and the pool, at work."""
        self._client = await Client.connect(self._address)
        await self._pool.open(wait=True)
        async with self._pool.connection() as connection:
            await connection.execute(TABLE)
        async with Worker(self._client, task_queue=QUEUE, workflows=[Loop], activities=[nothing, finish]):
            yield
        await self._pool.close()

    async def commit(self, request: Request) -> JSONResponse:
        """One row, one commit."""
        body = await request.json()
        async with self._pool.connection() as connection:
            await connection.execute("insert into bench_bare (text) values (%s)", (body["text"],))
        return JSONResponse({"ok": True})

    async def start(self, request: Request) -> JSONResponse:
        """An entity with so many activities a round."""
        assert self._client
        entity, activities = request.query_params["entity"], int(request.query_params["activities"])
        await self._client.start_workflow(Loop.run, activities, id=entity, task_queue=QUEUE)
        return JSONResponse({"ok": True})

    async def round(self, request: Request) -> JSONResponse:
        """Signals an entity and answers when its activities are done."""
        assert self._client
        entity = request.query_params["entity"]
        self.finished[entity].clear()
        await self._client.get_workflow_handle(entity).signal(Loop.go)
        await self.finished[entity].wait()
        return JSONResponse({"ok": True})


def main(address: str, database_url: str, port: int) -> None:
    """Serves until it is ended."""
    bare = Bare(address, database_url)
    routes = [
        Route("/commit", bare.commit, methods=["POST"]),
        Route("/start", bare.start, methods=["POST"]),
        Route("/round", bare.round, methods=["POST"]),
    ]
    uvicorn.run(Starlette(routes=routes, lifespan=bare.lifespan), port=port, log_config=None, access_log=False)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
