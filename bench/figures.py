"""The measurements of Switchboard alone, each a function that returns one figure: seconds, things per second, or megabytes."""

import asyncio
import statistics
import time

import httpx

from bench.paired import LONG, per_second
from bench.people import Person, enter, leave
from embedded.running import Running


async def turns_per_second(running: Running, sessions: int, seconds: float) -> float:
    """Turns a second with so many sessions, each writing again as soon as it is answered."""
    people = [Person(running.chat_url) for _ in range(sessions)]
    await enter(people)
    await asyncio.gather(*(person.say("echo warm") for person in people))
    found = await per_second([lambda person=person: person.say("echo on") for person in people], seconds)
    await leave(people)
    return found


async def burst(running: Running, sessions: int, messages: int) -> float:
    """Messages answered a second when so many sessions write so many messages each at once."""
    people = [Person(running.chat_url) for _ in range(sessions)]
    await enter(people)
    await asyncio.gather(*(person.say("echo warm") for person in people))

    async def all_of(person: Person) -> None:
        for n in range(messages):
            await person.write(f"echo {n}")
        for n in range(messages):
            _, text = await person.outbound.get()
            assert text == str(n), f"answer {n} was {text!r}"

    began = time.perf_counter()
    await asyncio.gather(*(all_of(person) for person in people))
    took = time.perf_counter() - began
    await leave(people)
    return sessions * messages / took


async def decision_to_outcome(running: Running, times: int) -> float:
    """Seconds from a human's approval to the outcome being told in the chat."""
    key = {"authorization": f"Bearer {running.told['admin_token']}"}
    measured: list[float] = []
    async with Person(running.chat_url) as person, httpx.AsyncClient(base_url=running.told["api"], headers=key, timeout=LONG) as api:
        for n in range(times):
            await person.say(f"refund {n + 1} to Ana")
            waiting = (await api.get("/v1/approvals", params={"state": "pending", "limit": 1})).json()["items"][0]
            began = time.perf_counter()
            (await api.post(f"/v1/approvals/{waiting['id']}/decide", json={"verdict": "approved"})).raise_for_status()
            told, text = await person.outbound.get()
            assert "approved" in text, text
            measured.append(told - began)
    return statistics.median(measured)


async def sleepers(running: Running, count: int, asleep_after: float) -> tuple[float, float]:
    """Seconds until a sleeping session answers, its workflow completed and only a row left; and until the same session answers once more."""
    people = [Person(running.chat_url) for _ in range(count)]
    await enter(people)
    for person in people:
        await person.say("echo good night")
    await asyncio.sleep(asleep_after)
    first, then = [], []
    for person in people:
        first.append((await person.say("echo good morning"))[1])
        then.append((await person.say("echo and now"))[1])
    await leave(people)
    return statistics.median(first), statistics.median(then)


async def slowest_reply(running: Running, sessions: int, messages: int) -> float:
    """Seconds of the slowest answer of all, when so many sessions write so many messages each, one after the other."""
    people = [Person(running.chat_url) for _ in range(sessions)]
    await enter(people)

    async def all_of(person: Person) -> float:
        await person.say("echo warm")
        return max([(await person.say(f"echo {n}"))[1] for n in range(messages)])

    slowest = max(await asyncio.gather(*(all_of(person) for person in people)))
    await leave(people)
    return slowest


def memory(running: Running) -> float:
    """Megabytes of all processes together, proportional set size."""
    return sum(process.memory_full_info().pss for process in running.family()) / 1e6
