"""Waiting for a change, and its end: a cancellation is never lost, for whoever lost it would hold a socket's place for ever."""

import asyncio
from contextlib import suppress

import pytest

from api.hub import either, ended


@pytest.mark.parametrize("turns", range(5))
async def test_a_cancellation_that_comes_with_the_event_is_obeyed(turns: int) -> None:
    """So many turns of the loop after the event was set."""
    event = asyncio.Event()
    waiting = asyncio.create_task(either(event, 600))
    for _ in range(5):
        await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)

    was_over = not waiting.cancel()
    await asyncio.wait({waiting})

    assert waiting.cancelled() is not was_over


async def test_a_task_that_lost_its_cancellation_is_ended_all_the_same() -> None:
    lost = 0

    async def deaf_at_first() -> None:
        nonlocal lost
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        lost += 1
        await asyncio.sleep(3600)

    task = asyncio.create_task(deaf_at_first())
    await asyncio.sleep(0)

    async with asyncio.timeout(60):
        await ended(task)

    assert (lost, task.cancelled()) == (1, True)
