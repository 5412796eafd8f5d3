"""Who in this process waits for a change: sockets by conversation, event streams and waiting requests by tenant."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from store.notices import heard

AGAIN_AFTER = 1.0
"""Seconds after which a task that was cancelled, and is not over, is cancelled once more."""


class Hub:
    """Turns Postgres's hints into wake-ups. A hint may be missed: whoever waits also looks every few seconds."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: dict[str, set[asyncio.Event]] = defaultdict(set)
        self.open_chats: dict[str, int] = defaultdict(int)
        """Open web chat sockets in this process, by account."""

    async def listen(self) -> None:
        """Listens for ever."""
        async for tenant, conversation in heard(self._url):
            if not tenant:
                for events in self._waiting.values():
                    _set(events)
                continue
            _set(self._waiting.get(tenant, ()))
            _set(self._waiting.get(conversation, ()))

    @contextmanager
    def waiting(self, *subjects: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever one of the subjects (tenants or conversations) may have changed."""
        event = asyncio.Event()
        self.add(event, *subjects)
        try:
            yield event
        finally:
            for subject in [s for s, events in self._waiting.items() if event in events]:
                self._waiting[subject].discard(event)
                if not self._waiting[subject]:
                    del self._waiting[subject]

    def add(self, event: asyncio.Event, *subjects: str) -> None:
        """Has an event set for further subjects."""
        for subject in subjects:
            self._waiting[subject].add(event)


def _set(events: set[asyncio.Event] | tuple[()]) -> None:
    for event in events:
        event.set()


async def either(event: asyncio.Event, seconds: float) -> None:
    """Waits for an event, or so many seconds; the event is clear afterwards."""
    try:
        async with asyncio.timeout(seconds):  # Python 3.11's wait_for loses a cancellation that comes together with the event
            await event.wait()
    except TimeoutError:
        return
    event.clear()


async def ended(*tasks: asyncio.Task[None]) -> None:
    """Cancels tasks until they are over: a cancellation can be lost in a library that waits for something which comes at that very moment."""
    while left := [task for task in tasks if not task.done()]:
        for task in left:
            task.cancel()
        await asyncio.wait(left, timeout=AGAIN_AFTER)
    await asyncio.gather(*tasks, return_exceptions=True)
