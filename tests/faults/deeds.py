"""What a test does to a running stack besides killing: a second worker beside the first, and a part that stands still."""

import asyncio
import itertools
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import psutil
from standardwebhooks import Webhook

from embedded.running import ROOT, Running
from tests.crash.stack import PATIENCE
from tests.crash.visitor import Visitor
from tests.journeys.receiver import SECRET

amounts = itertools.count(300)
"""Amounts of refunds, each asked for once, by which a test knows its own."""
_calls = itertools.count(1)


@asynccontextmanager
async def second_worker(stack: Running) -> AsyncIterator[None]:
    """A further worker with the environment of the first; it works when the block begins, and has ended when it is over."""
    log = stack.folder / "second.log"
    environment = stack.part("worker")[0].environ()
    with log.open("wb") as out:
        process = subprocess.Popen([sys.executable, "-P", "-m", "cli", "worker"], cwd=ROOT, env=environment, stdout=out, stderr=out)
    try:
        await until(lambda: "worker.ready" in log.read_text("utf-8", "replace"), "the second worker is ready")
        yield
    finally:
        process.terminate()
        try:
            await asyncio.to_thread(process.wait, 30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@asynccontextmanager
async def frozen(processes: list[psutil.Process]) -> AsyncIterator[None]:
    """These processes stand still as long as the block lasts."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


async def until(true: Callable[[], bool | Awaitable[bool]], what: str, patience: float = PATIENCE) -> None:
    """Waits for something to be true. Raises AssertionError when it never is."""
    ends = time.monotonic() + patience
    while True:
        found = true()
        if found if isinstance(found, bool) else await found:
            return
        assert time.monotonic() < ends, f"never came true: {what}"
        await asyncio.sleep(0.05)


@asynccontextmanager
async def visiting(stack: Running, count: int = 1, account: str = "") -> AsyncIterator[list[Visitor]]:
    """So many people at a web chat, the demo's where none is named."""
    people = [Visitor(stack, account) for _ in range(count)]
    for person in people:
        person.start()
    try:
        yield people
    finally:
        await asyncio.gather(*(person.stop() for person in people))


async def call(stack: Running, channel: str, account: str, text: str, chat: str = "c") -> httpx.Response:
    """A program tells us that somebody wrote, once, signed as it has to be."""
    now, id_ = datetime.now(UTC), f"evt_{next(_calls)}"
    body = json.dumps({"type": "message", "id": id_, "chat": chat, "text": text})
    signed = {"webhook-id": id_, "webhook-timestamp": str(int(now.timestamp())), "webhook-signature": Webhook(SECRET).sign(id_, now, body)}
    async with httpx.AsyncClient(base_url=stack.told["api"], timeout=30) as client:
        return await client.post(f"/webhooks/{channel}/{account}", content=body, headers=signed | {"content-type": "application/json"})
