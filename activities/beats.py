"""What keeps long activities honest: heartbeats, and commits that are worth repeating."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from temporalio import activity

from domain.errors import StoreUnavailable

T = TypeVar("T")
BEAT = 3.0
"""Seconds between heartbeats; the timeout is 10."""
PATIENCE = 60.0
"""Seconds a paid-for answer waits for Postgres to take it."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeats while the body runs, so that a worker that is gone is noticed."""

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(BEAT)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def paid_for(commit: Callable[[], Awaitable[T]]) -> T:
    """Repeats a commit while Postgres is away: what it holds was paid for. The commit must be safe to repeat."""
    waited, pause = 0.0, 0.2
    while True:
        try:
            return await commit()
        except StoreUnavailable:
            if waited > PATIENCE:
                raise
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(5.0, pause * 2)
