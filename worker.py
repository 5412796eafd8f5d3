"""A Temporal worker: runs the workflows and activities, and sweeps. Any number of them may run."""

import asyncio
import contextlib
import signal
from importlib import import_module
from importlib.util import find_spec

import structlog

from logs import set_up_logs
from parts import Parts
from settings import Settings
from wiring import connect, opened, sweep, worker

log = structlog.get_logger()
AGAIN = 1.0
"""Seconds between tries to reach Temporal."""


async def run(settings: Settings, stop: asyncio.Event) -> None:
    """Works until `stop`; waits for Temporal where it is away, and starts again when the worker fails."""
    async with opened(settings, "switchboard-worker") as parts:
        sweeping = asyncio.create_task(sweep(parts).forever())
        try:
            while not stop.is_set():
                await _work(settings, stop, parts)
        finally:
            sweeping.cancel()
            await asyncio.gather(sweeping, return_exceptions=True)


async def _work(settings: Settings, stop: asyncio.Event, parts: Parts) -> None:
    try:
        temporal = await connect(settings, lazy=False)
        working = worker(parts, temporal)
        async with working:
            log.info("worker.ready")
            await stop.wait()
    except RuntimeError as error:
        log.info("worker.waits_for_temporal", error=type(error).__name__)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AGAIN)


async def main() -> None:
    """The process: SIGINT and SIGTERM let running activities finish."""
    settings = Settings()
    set_up_logs(settings.log_level)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await run(settings, stop)


def new_loop() -> asyncio.AbstractEventLoop:
    """The event loop of a worker: uvloop's where there is one, which takes less of the processor for the same work."""
    return asyncio.new_event_loop() if find_spec("uvloop") is None else import_module("uvloop").new_event_loop()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())
