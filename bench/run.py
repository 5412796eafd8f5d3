"""One run of everything, beside a bare Temporal loop and a bare Postgres commit on the same servers: figures as ratios."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psycopg

from bench import figures
from bench.seed import seed
from embedded.ports import free_port
from embedded.running import ROOT, Running

LINGER = 3.0
"""Seconds a session's run lingers in the bench, so that sleepers fall asleep within it."""


@dataclass(frozen=True)
class Scale:
    """How much is measured. `quick` is for tests of the bench itself, never for figures."""

    times: int = 60
    seconds: float = 15.0
    sessions: int = 50
    messages: int = 20
    sleepers: int = 15
    sockets: int = 100
    stored: int = 100_000

    @classmethod
    def quick(cls) -> "Scale":
        """Small enough for a test."""
        return cls(times=5, seconds=1.0, sessions=5, messages=4, sleepers=2, sockets=10, stored=500)


@dataclass
class Result:
    """The figures by name, in seconds, per second or megabytes; `ratios` compare two of them."""

    figures: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, tuple[float, str]] = field(default_factory=dict)

    def ratio(self, name: str, above: str, below: str, aim: str) -> None:
        """Notes figure over figure, with the aim in words."""
        self.ratios[name] = (self.figures[above] / self.figures[below], aim)


async def run(scale: Scale, tell: Callable[[str], None]) -> Result:
    """Starts a stack of its own in a new folder, measures, and ends it. `tell` hears what is measured now."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="sb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        running = Running(
            folder, environment={"SWITCHBOARD_LINGER": str(LINGER), "SWITCHBOARD_CHAT_CONNECTIONS": "2000", "SWITCHBOARD_LOG_LEVEL": "WARNING"}
        )
        running.start()
        try:
            await _measure(running, scale, result, tell)
        finally:
            running.stop()
    return result


async def _measure(running: Running, scale: Scale, result: Result, tell: Callable[[str], None]) -> None:
    f = result.figures
    f["memory idle, MB"] = figures.memory(running)
    port = free_port()
    bare = subprocess.Popen([sys.executable, "-m", "bench.bare", running.told["temporal_address"], running.told["database_url"], str(port)], cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        await _answers(url)
        tell("idle: a bare commit, a bare loop, and ours")
        f["bare commit over HTTP, s"] = await figures.bare_commit(url, scale.times)
        f["bare loop with two activities, s"] = await figures.bare_round(url, 2, scale.times)
        f["bare loop with one activity, s"] = await figures.bare_round(url, 1, scale.times)
        f["accept, s"], f["idle reply, s"] = await figures.accept_and_reply(running, scale.times)
        tell(f"{scale.sessions} sessions at once: the bare loop, and ours")
        f["bare rounds with two activities, /s"] = await figures.bare_rounds(url, 2, scale.sessions, scale.seconds)
        f["bare rounds with one activity, /s"] = await figures.bare_rounds(url, 1, scale.sessions, scale.seconds)
    finally:
        bare.terminate()
        bare.wait(15)
    f["turns, /s"] = await figures.turns_per_second(running, scale.sessions, scale.seconds)
    tell(f"a burst of {scale.sessions} × {scale.messages}")
    f["burst, messages/s"] = await figures.burst(running, scale.sessions, scale.messages)
    tell("decisions, sleepers, sockets")
    f["decision to outcome told, s"] = await figures.decision_to_outcome(running, max(3, scale.times // 4))
    f["first reply after sleep, s"] = await figures.first_reply_after_sleep(running, scale.sleepers, LINGER + 2)
    await _memory(running, scale, f)
    tell(f"{scale.stored} stored sessions")
    f["sleeping sessions: memory per 1,000, MB"] = await _with_stored(running, scale, f)
    await _second_worker(running, scale, f, tell)
    _compare(result)


async def _memory(running: Running, scale: Scale, f: dict[str, float]) -> None:
    before = figures.memory(running)
    people = await figures.sockets_open(running, scale.sockets)
    f["memory per 100 sockets, MB"] = (figures.memory(running) - before) * 100 / scale.sockets
    await figures.leave(people)


async def _with_stored(running: Running, scale: Scale, f: dict[str, float]) -> float:
    before = figures.memory(running)
    with psycopg.connect(running.told["database_url"], autocommit=True) as sql:
        seed(sql, scale.stored)
    await asyncio.sleep(5)
    grown = figures.memory(running) - before
    f["accept with many stored, s"], f["idle reply with many stored, s"] = await figures.accept_and_reply(running, scale.times)
    return grown * 1000 / scale.stored


async def _second_worker(running: Running, scale: Scale, f: dict[str, float], tell: Callable[[str], None]) -> None:
    tell("two workers")
    environment = running.part("worker")[0].environ()
    second = subprocess.Popen([sys.executable, "-m", "cli", "worker"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        await asyncio.sleep(3)
        f["turns with two workers, /s"] = await figures.turns_per_second(running, scale.sessions, scale.seconds)
    finally:
        second.terminate()
        second.wait(20)


def _compare(result: Result) -> None:
    result.ratio("accept : bare commit over HTTP", "accept, s", "bare commit over HTTP, s", "≤ 1.5")
    result.ratio("idle reply : bare loop, two activities", "idle reply, s", "bare loop with two activities, s", "≤ 1.25")
    result.ratio("turns : bare rounds, two activities", "turns, /s", "bare rounds with two activities, /s", "≥ 1.2")
    result.ratio("burst : turns", "burst, messages/s", "turns, /s", "≥ 10")
    result.ratio("first reply after sleep : idle reply", "first reply after sleep, s", "idle reply, s", "≤ 1.5")
    result.ratio("accept, many stored : one", "accept with many stored, s", "accept, s", "flat")
    result.ratio("idle reply, many stored : one", "idle reply with many stored, s", "idle reply, s", "flat")
    result.ratio("turns, two workers : one", "turns with two workers, /s", "turns, /s", "")


async def _answers(url: str) -> None:
    ends = time.monotonic() + 60
    async with httpx.AsyncClient(base_url=url) as client:
        while time.monotonic() < ends:
            try:
                if (await client.post("/commit", json={"text": "ready"})).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.1)
    raise TimeoutError("the comparison does not answer")


def as_json(result: Result) -> str:
    """The figures for machines."""
    body: dict[str, Any] = {"figures": result.figures, "ratios": {name: {"value": value, "aim": aim} for name, (value, aim) in result.ratios.items()}}
    return json.dumps(body, indent=1)
