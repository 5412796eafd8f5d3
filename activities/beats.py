"""What keeps long activities honest: heartbeats, and commits that are worth repeating."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from temporalio import activity

from domain.errors import StoreUnavailable

T = TypeVar("T")
BEAT = 3.0
"""Seconds between heartbeats; the timeout is 10."""
LOOK = 1.0
"""Seconds between the looks whether long work is still wanted."""
PATIENCE = 60.0
"""Seconds a paid-for answer waits for Postgres to take it."""


class NotWanted(Exception):
    """Nobody waits for this work any more: its turn was cancelled, or its session closed."""


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


async def while_wanted(work: Coroutine[Any, Any, T], wanted: Callable[[], Awaitable[bool]]) -> T:
    """Carries work out as long as somebody wants it. Raises NotWanted once nobody does; the work is then cancelled and over."""
    task = asyncio.create_task(work)
    try:
        while not (await asyncio.wait({task}, timeout=LOOK))[0]:
            if not await _wanted(wanted):
                raise NotWanted
        return task.result()
    finally:
        if not task.done():
            task.add_done_callback(lambda over: over.cancelled() or over.exception())
            task.cancel()
            await asyncio.wait({task}, timeout=BEAT)


async def _wanted(ask: Callable[[], Awaitable[bool]]) -> bool:
    """While Postgres is away nothing can have been cancelled."""
    try:
        return await ask()
    except StoreUnavailable:
        return True


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
