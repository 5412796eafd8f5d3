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
_under_way: set[asyncio.Task[Any]] = set()


class NotWanted(Exception):
    """Nobody waits for this work any more: its turn was cancelled, or its session closed."""


@asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeats while the body runs, so that a worker that is gone is noticed."""

    async def beat() -> None:
        while True:  # the start counts as the first beat, and most work is over before the second
            await asyncio.sleep(BEAT)
            activity.heartbeat()

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
    """Repeats a commit while Postgres is away: what it holds was paid for.

    It is also written when the attempt is cancelled meanwhile, because its worker was frozen and another has taken over: a receipt or a result
    that comes late is still worth knowing. So the commit must be safe to repeat, and safe to come late.
    """
    task = asyncio.create_task(_repeated(commit))
    _under_way.add(task)
    task.add_done_callback(_under_way.discard)
    return await asyncio.shield(task)


async def _repeated(commit: Callable[[], Awaitable[T]]) -> T:
    waited, pause = 0.0, 0.2
    while True:
        try:
            return await commit()
        except StoreUnavailable:
            if waited > PATIENCE:
                raise
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(5.0, pause * 2)
