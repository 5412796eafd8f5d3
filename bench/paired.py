"""Measurements taken by turns with the bare parts, so that a busy machine slows both alike and their ratio holds."""

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType

import httpx

from bench.people import Person, enter, leave
from embedded.ports import free_port
from embedded.running import ROOT, Running

LONG = httpx.Timeout(120.0)
Once = Callable[[], Awaitable[object]]


class Bare:
    """`bench.bare` as a process: one Postgres commit over HTTP, and entities that run one or two activities a round."""

    def __init__(self, running: Running) -> None:
        self._port = free_port()
        command = [sys.executable, "-m", "bench.bare", running.told["temporal_address"], running.told["database_url"], str(self._port)]
        self._process = subprocess.Popen(command, cwd=ROOT)
        self._http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{self._port}", timeout=LONG, limits=httpx.Limits(max_connections=200))

    async def __aenter__(self) -> "Bare":
        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            try:
                await self.commit()
            except (httpx.TransportError, httpx.HTTPStatusError):
                await asyncio.sleep(0.1)
            else:
                return self
        raise TimeoutError("the comparison does not answer")

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._http.aclose()
        self._process.terminate()
        self._process.wait(15)

    async def commit(self) -> None:
        """One row."""
        (await self._http.post("/commit", json={"text": "echo on"})).raise_for_status()

    async def round(self, entity: str) -> None:
        """A signal, and all activities of its round."""
        (await self._http.post("/round", params={"entity": entity})).raise_for_status()

    async def entities(self, activities: int, count: int) -> list[str]:
        """So many workflows, each warm."""
        names = [f"bare-{activities}-{time.time_ns()}-{n}" for n in range(count)]
        for name in names:
            (await self._http.post("/start", params={"entity": name, "activities": activities})).raise_for_status()
        await asyncio.gather(*(self.round(name) for name in names))
        return names


async def idle(running: Running, bare: Bare, times: int) -> dict[str, float]:
    """Median seconds of a bare commit, bare rounds, our accept and our reply: one of each after the other, again and again."""
    seconds: dict[str, list[float]] = {name: [] for name in ("commit", "two", "one", "accept", "reply")}
    [two], [one] = await bare.entities(2, 1), await bare.entities(1, 1)
    async with Person(running.chat_url) as person:
        for _ in range(5):
            await person.say("echo warm")
        for n in range(times):
            for name, once in (("commit", bare.commit), ("two", lambda: bare.round(two)), ("one", lambda: bare.round(one))):
                began = time.perf_counter()
                await once()
                seconds[name].append(time.perf_counter() - began)
            accepted, replied = await person.say(f"echo {n}")
            seconds["accept"].append(accepted)
            seconds["reply"].append(replied)
    return {name: statistics.median(found) for name, found in seconds.items()}


async def rates(running: Running, bare: Bare, sessions: int, seconds: float, rounds: int) -> dict[str, float]:
    """Median rounds a second of so many bare entities with two activities and with one, and turns of so many sessions, by turns.

    Each subject goes again as soon as it is answered.
    """
    found: dict[str, list[float]] = {"two": [], "one": [], "turns": []}
    people = [Person(running.chat_url) for _ in range(sessions)]
    await enter(people)
    two, one = await bare.entities(2, sessions), await bare.entities(1, sessions)
    await asyncio.gather(*(person.say("echo warm") for person in people))
    for _ in range(rounds):
        found["two"].append(await per_second([lambda name=name: bare.round(name) for name in two], seconds))
        found["turns"].append(await per_second([lambda person=person: person.say("echo on") for person in people], seconds))
        found["one"].append(await per_second([lambda name=name: bare.round(name) for name in one], seconds))
    await leave(people)
    return {name: statistics.median(values) for name, values in found.items()}


async def per_second(subjects: Sequence[Once], seconds: float) -> float:
    """How often a second all of these were done, each again as soon as it is over."""
    done = 0
    ends = time.perf_counter() + seconds

    async def again(once: Once) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await once()
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(again(once) for once in subjects))
    return done / (time.perf_counter() - began)
