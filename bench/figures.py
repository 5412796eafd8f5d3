"""The measurements, each a function that returns one figure: seconds, or things per second."""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

import httpx

from bench.people import Person
from embedded.running import Running

T = TypeVar("T")
LONG = httpx.Timeout(120.0)


async def median_of(times: int, once: Callable[[int], Awaitable[float]]) -> float:
    """The median of so many measurements, one after the other."""
    return statistics.median([await once(n) for n in range(times)])


async def bare_commit(url: str, times: int) -> float:
    """Seconds of one Postgres commit over HTTP."""
    async with httpx.AsyncClient(base_url=url, timeout=LONG) as client:

        async def once(n: int) -> float:
            began = time.perf_counter()
            (await client.post("/commit", json={"text": f"echo {n}"})).raise_for_status()
            return time.perf_counter() - began

        return await median_of(times, once)


async def bare_round(url: str, activities: int, times: int) -> float:
    """Seconds from a signal to the end of its activities, idle."""
    entity = f"bare-{activities}-{time.time_ns()}"
    async with httpx.AsyncClient(base_url=url, timeout=LONG) as client:
        (await client.post("/start", params={"entity": entity, "activities": activities})).raise_for_status()

        async def once(_: int) -> float:
            began = time.perf_counter()
            (await client.post("/round", params={"entity": entity})).raise_for_status()
            return time.perf_counter() - began

        await once(0)
        return await median_of(times, once)


async def bare_rounds(url: str, activities: int, entities: int, seconds: float) -> float:
    """Rounds a second with so many entities, each asked again as soon as it is done."""
    names = [f"bare-{activities}-{time.time_ns()}-{n}" for n in range(entities)]
    async with httpx.AsyncClient(base_url=url, timeout=LONG, limits=httpx.Limits(max_connections=entities)) as client:
        for name in names:
            (await client.post("/start", params={"entity": name, "activities": activities})).raise_for_status()

        async def once(name: str) -> None:
            (await client.post("/round", params={"entity": name})).raise_for_status()

        return await _per_second(names, once, seconds)


async def accept_and_reply(running: Running, times: int) -> tuple[float, float]:
    """Seconds until a message is acknowledged, and until it is answered, idle: the same conversation again and again."""
    async with Person(running.chat_url) as person:
        await person.say("echo warm")
        measured = [await person.say(f"echo {n}") for n in range(times)]
    return statistics.median(a for a, _ in measured), statistics.median(r for _, r in measured)


async def turns_per_second(running: Running, sessions: int, seconds: float) -> float:
    """Turns a second with so many sessions, each writing again as soon as it is answered."""
    people = [Person(running.chat_url) for _ in range(sessions)]
    try:
        await enter(people)

        async def once(person: Person) -> None:
            await person.say("echo on")

        await asyncio.gather(*(once(person) for person in people))
        return await _per_second(people, once, seconds)
    finally:
        await leave(people)


async def burst(running: Running, sessions: int, messages: int) -> float:
    """Messages answered a second when so many sessions write so many messages each at once."""
    people = [Person(running.chat_url) for _ in range(sessions)]
    try:
        await enter(people)
        await asyncio.gather(*(person.say("echo warm") for person in people))
        began = time.perf_counter()

        async def all_of(person: Person) -> None:
            for n in range(messages):
                await person.write(f"echo {n}")
            for n in range(messages):
                _, text = await person.outbound.get()
                assert text == str(n), f"answer {n} was {text!r}"

        await asyncio.gather(*(all_of(person) for person in people))
        return sessions * messages / (time.perf_counter() - began)
    finally:
        await leave(people)


async def decision_to_outcome(running: Running, times: int) -> float:
    """Seconds from a human's approval to the outcome being told in the chat."""
    key = {"authorization": f"Bearer {running.told['admin_token']}"}
    async with Person(running.chat_url) as person, httpx.AsyncClient(base_url=running.told["api"], headers=key, timeout=LONG) as api:

        async def once(n: int) -> float:
            await person.say(f"refund {n + 1} to Ana")
            waiting = (await api.get("/v1/approvals", params={"state": "pending", "limit": 1})).json()["items"][0]
            began = time.perf_counter()
            (await api.post(f"/v1/approvals/{waiting['id']}/decide", json={"verdict": "approved"})).raise_for_status()
            told, text = await person.outbound.get()
            assert "approved" in text, text
            return told - began

        return await median_of(times, once)


async def first_reply_after_sleep(running: Running, sleepers: int, asleep_after: float) -> float:
    """Seconds until a sleeping session answers: its workflow has completed, only a row is left."""
    people = [Person(running.chat_url) for _ in range(sleepers)]
    await enter(people)
    for person in people:
        await person.say("echo good night")
    await asyncio.sleep(asleep_after)
    measured = [(await person.say("echo good morning"))[1] for person in people]
    await leave(people)
    return statistics.median(measured)


def memory(running: Running) -> float:
    """Megabytes of all processes together, proportional set size."""
    return sum(process.memory_full_info().pss for process in running.family()) / 1e6


async def sockets_open(running: Running, count: int) -> list[Person]:
    """So many open sockets of visitors who have not written."""
    people = [Person(running.chat_url) for _ in range(count)]
    await enter(people)
    return people


async def enter(people: Sequence[Person]) -> None:
    """Opens their sockets, some at a time."""
    for start in range(0, len(people), 25):
        await asyncio.gather(*(person.__aenter__() for person in people[start : start + 25]))


async def leave(people: Sequence[Person]) -> None:
    """Closes their sockets."""
    await asyncio.gather(*(person.__aexit__(None, None, None) for person in people), return_exceptions=True)


async def _per_second(subjects: Sequence[T], once: Callable[[T], Awaitable[None]], seconds: float) -> float:
    done = 0
    ends = time.perf_counter() + seconds

    async def again(subject: T) -> None:
        nonlocal done
        while time.perf_counter() < ends:
            await once(subject)
            done += 1

    began = time.perf_counter()
    await asyncio.gather(*(again(subject) for subject in subjects))
    return done / (time.perf_counter() - began)
