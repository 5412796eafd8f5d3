"""One run of everything, beside a bare Temporal loop and a bare Postgres commit on the same servers: figures, and their ratios."""

import asyncio
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg

from bench import figures, paired
from bench.people import Person, enter, leave
from bench.seed import seed
from embedded.running import ROOT, Running

LINGER = 3.0
"""Seconds a session's run lingers where it is measured how sleepers wake."""
LOOKS = 3
"""Looks after which a run continues as new where that is measured."""
FLAT = "≤ 1.25"
"""What counts as flat: two medians of one machine differ by as much."""
Tell = Callable[[str], None]


@dataclass(frozen=True)
class Scale:
    """How much is measured: `quick` is for tests of the bench itself, never for figures. Times in seconds."""

    times: int = 60
    seconds: float = 6.0
    rounds: int = 3
    sessions: int = 50
    messages: int = 20
    sleepers: int = 20
    sockets: int = 100
    stored: int = 100_000
    settle: float = 20.0

    @classmethod
    def quick(cls) -> "Scale":
        """Small enough for a test."""
        return cls(times=5, seconds=0.5, rounds=1, sessions=5, messages=4, sleepers=2, sockets=10, stored=500, settle=0.5)


@dataclass
class Result:
    """The figures by name, in seconds, per second or megabytes; `ratios` compare two of them, each with its aim in words."""

    figures: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, tuple[float, str]] = field(default_factory=dict)

    def ratio(self, name: str, above: str, below: str, aim: str) -> None:
        """Notes figure over figure."""
        self.ratios[name] = (self.figures[above] / self.figures[below], aim)


async def run(scale: Scale, tell: Tell) -> Result:
    """Starts stacks of its own in new folders, measures, and ends them. `tell` hears what is measured now."""
    result = Result()
    async with _stack() as running:
        await _measure(running, scale, result, tell)
    tell("sleepers")
    async with _stack(SWITCHBOARD_LINGER=str(LINGER)) as running:
        found = await figures.sleepers(running, scale.sleepers, LINGER + 2)
    result.figures["first reply after sleep, s"], result.figures["the next reply, s"] = found
    tell(f"continue-as-new every {LOOKS} looks")
    async with _stack(SWITCHBOARD_LOOKS_BEFORE_CONTINUE=str(LOOKS)) as running:
        result.figures["slowest reply with continue-as-new, s"] = await figures.slowest_reply(running, max(2, scale.sessions // 5), scale.messages)
    _compare(result)
    return result


@asynccontextmanager
async def _stack(**settings: str) -> AsyncIterator[Running]:
    with tempfile.TemporaryDirectory(prefix="sb-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        running = Running(folder, environment={"SWITCHBOARD_CHAT_CONNECTIONS": "2000", "SWITCHBOARD_LOG_LEVEL": "WARNING"} | settings)
        await asyncio.to_thread(running.start)
        try:
            yield running
        finally:
            running.stop()


async def _measure(running: Running, scale: Scale, result: Result, tell: Tell) -> None:
    f = result.figures
    f["memory idle, MB"] = figures.memory(running)
    async with paired.Bare(running) as bare:
        tell("idle, by turns: a bare commit, bare loops, and ours")
        few = await paired.idle(running, bare, scale.times)
        f["bare commit over HTTP, s"], f["accept, s"] = few["commit"], few["accept"]
        f["bare loop with two activities, s"], f["bare loop with one activity, s"], f["idle reply, s"] = few["two"], few["one"], few["reply"]
        tell(f"{scale.sessions} sessions at once, by turns: bare loops, and ours")
        most = await paired.rates(running, bare, scale.sessions, scale.seconds, scale.rounds)
        f["bare rounds with two activities, /s"], f["bare rounds with one activity, /s"], f["turns, /s"] = most["two"], most["one"], most["turns"]
        tell(f"a burst of {scale.sessions} × {scale.messages}")
        bursts = [await figures.burst(running, scale.sessions, scale.messages) for _ in range(scale.rounds)]
        f["burst, messages/s"] = statistics.median(bursts)
        tell("decisions and sockets")
        f["decision to outcome told, s"] = await figures.decision_to_outcome(running, max(3, scale.times // 4))
        f["memory per 100 sockets, MB"] = await _per_100_sockets(running, scale)
        tell(f"{scale.stored} stored sessions")
        f["memory per 1,000 sleeping sessions, MB"] = await _store(running, scale) * 1000 / scale.stored
        many = await paired.idle(running, bare, scale.times)
        f["accept with many stored, s"], f["idle reply with many stored, s"] = many["accept"], many["reply"]
        result.ratios["accept : bare commit, many stored : few"] = (many["accept"] / many["commit"] / (few["accept"] / few["commit"]), FLAT)
        result.ratios["idle reply : bare loop, many stored : few"] = (many["reply"] / many["two"] / (few["reply"] / few["two"]), FLAT)
    await _second_worker(running, scale, f, tell)


async def _per_100_sockets(running: Running, scale: Scale) -> float:
    before = figures.memory(running)
    people = [Person(running.chat_url) for _ in range(scale.sockets)]
    await enter(people)
    grown = figures.memory(running) - before
    await leave(people)
    return grown * 100 / scale.sockets


async def _store(running: Running, scale: Scale) -> float:
    """Stores sleeping sessions and lets Postgres come to rest. Returns the megabytes by which the processes grew."""
    before = figures.memory(running)
    with psycopg.connect(running.told["database_url"], autocommit=True) as sql:
        seed(sql, scale.stored)
    await asyncio.sleep(scale.settle)
    return figures.memory(running) - before


async def _second_worker(running: Running, scale: Scale, f: dict[str, float], tell: Tell) -> None:
    tell("one worker, then two")
    f["turns with one worker, /s"] = await figures.turns_per_second(running, scale.sessions, scale.seconds)
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
    result.ratio("turns : bare rounds, one activity", "turns, /s", "bare rounds with one activity, /s", "")
    result.ratio("burst : turns", "burst, messages/s", "turns, /s", "≥ 10")
    result.ratio("first reply after sleep : idle reply", "first reply after sleep, s", "idle reply, s", "≤ 1.5")
    result.ratio("first reply after sleep : its next reply", "first reply after sleep, s", "the next reply, s", "≤ 1.5")
    result.ratio("accept, many stored : few", "accept with many stored, s", "accept, s", FLAT)
    result.ratio("idle reply, many stored : few", "idle reply with many stored, s", "idle reply, s", FLAT)
    result.ratio("turns, two workers : one", "turns with two workers, /s", "turns with one worker, /s", "")
    result.ratios["slowest reply with continue-as-new : 1.5 s"] = (result.figures["slowest reply with continue-as-new, s"] / 1.5, "≤ 1")


def as_json(result: Result, scale: Scale) -> str:
    """The figures for machines."""
    ratios = {name: {"value": value, "aim": aim, "met": met(value, aim)} for name, (value, aim) in result.ratios.items()}
    run = {"at": datetime.now(UTC).isoformat(), "scale": asdict(scale), "cpus": os.cpu_count(), "python": platform.python_version()}
    body: dict[str, Any] = {"run": run, "figures": result.figures, "ratios": ratios}
    return json.dumps(body, indent=1)


def met(value: float, aim: str) -> bool | None:
    """Whether a ratio is what was aimed for; None where nothing was."""
    if not aim:
        return None
    sign, _, bound = aim.partition(" ")
    return value >= float(bound) if sign == "≥" else value <= float(bound)
