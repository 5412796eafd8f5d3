"""The clocks of the API and of the worker are set forward by forty days, and Postgres's is not: what is due goes by Postgres's."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from embedded.running import ROOT
from tests.crash.conftest import ended
from tests.crash.stack import Stack
from tests.crash.tally import check
from tests.faults.deeds import amounts, call, until, visiting
from tests.journeys.receiver import SECRET

FORTY_DAYS = 40 * 86_400
AHEAD = Path(__file__).parent / "ahead"
TOLD = "select 1 from messages where direction = 'outbound' and state = 'sent' and text like %s"
LOOKED_AFTER = "select 1 where not exists (select from events where at < now() - interval '2 days')"
"""The sweep has removed the change that was made to look old. It closes what was not used for long right before."""


class Wrong(Stack):
    """A stack whose API and worker tell the time that a file says, and nobody else does."""

    def __init__(self, folder: Path) -> None:
        self.ahead = folder / "ahead"
        self.ahead.write_text("0")
        self.told_wrong = {"PYTHONPATH": os.pathsep.join(map(str, (AHEAD, ROOT))), "CLOCK_AHEAD": str(self.ahead)}
        super().__init__(folder, environment=self.told_wrong | {"SWITCHBOARD_LINGER": "2"})

    def set_forward(self, seconds: float) -> None:
        """From now on their clocks are so far ahead."""
        beside = self.ahead.with_suffix(".new")
        beside.write_text(str(seconds))
        beside.replace(self.ahead)


@pytest.fixture
def wrong() -> Iterator[Wrong]:
    """The stack, running; its clocks are still right."""
    with ended(Wrong) as stack:
        stack.start()
        yield stack


async def test_clocks_that_are_set_forward_expire_nothing_and_lose_nothing(wrong: Wrong) -> None:
    """An approval, a sleeping session, a follow-up and a message that its channel did not take at first, from before to after."""
    kept, decided = next(amounts), next(amounts)
    async with visiting(wrong, 2) as people, hesitating() as (url, taken):
        asking, sleeping = people
        conversation = await wired(wrong, url)
        for words in (f"refund {kept} to Ana", f"refund {decided} to Ana", "follow up in 15 seconds: tea"):
            await asking.write(words)
        await sleeping.write("remember colour=blue")
        waiting = {amount: await wrong.until(PENDING, amount) for amount in (kept, decided)}
        await check(wrong, people)
        await wrong.until("select 1 where not exists (select from sessions where step > 0 or wake_at < clock_timestamp() + interval '5 s')")

        wrong.set_forward(FORTY_DAYS)
        make_an_event_old(wrong)
        for part in ("worker", "API"):
            await asyncio.to_thread(wrong.kill, part)
        assert (await wrong.post(f"/v1/conversations/{conversation}/messages", {"text": "over the wire"})).is_success

        await wrong.until(LOOKED_AFTER)
        await sleeping.write("recall colour")
        await wrong.until(TOLD, "%blue%")
        await wrong.until(TOLD, "You asked me to come back to this: tea%")
        await wrong.until(TOLD, "over the wire%")
        assert (await wrong.decide(waiting[decided]["id"], "approved")).json()["verdict"] == "approved"
        await wrong.until(TOLD, f"%{decided}%approved and paid%")
        await check(wrong, people)
        assert wrong.rows(PENDING, kept) == [waiting[kept]]
        assert wrong.rows("select id from sessions where life <> 'open'") == []
        assert len(wrong.rows("select 1 from demo_refunds")) == 1
        assert taken == ["hello", "over the wire"]
        assert doctor(wrong) == {"clocks": "fail"}


PENDING = "select id, state, deadline_at from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s"


async def wired(stack: Stack, url: str) -> str:
    """An account of a channel with a wire, for the demo's agent, and a conversation in it, whose id is returned."""
    body = {"name": "wire", "channel": "webhook", "admission": "open", "settings": {"deliver_url": url}, "secrets": {"secret": SECRET}}
    made = await stack.post("/v1/accounts", body)
    assert made.status_code == 201, made.text
    assert (await stack.post("/v1/bindings", {"account": "wire", "agent": "demo"})).status_code == 201
    assert (await call(stack, "webhook", made.json()["id"], "echo hello")).is_success
    said = "select conversation_id from messages where account_id = %s and direction = 'outbound' and state = 'sent'"
    return str((await stack.until(said, made.json()["id"]))["conversation_id"])


@asynccontextmanager
async def hesitating() -> AsyncIterator[tuple[str, list[str]]]:
    """A program at the other end of a wire: it takes a message when it is told for the second time, but for the first. It asks for no
    signature, since those go by clocks. Yields its address and what it took."""
    told: list[str] = []
    taken: list[str] = []

    async def called(request: Request) -> Response:
        told.append(text := (await request.json())["text"])
        if taken and told.count(text) == 1:
            return Response(status_code=503, headers={"retry-after": "1"})
        taken.append(text)
        return Response()

    server = uvicorn.Server(uvicorn.Config(Starlette(routes=[Route("/", called, methods=["POST"])]), port=0, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve())
    await until(lambda: server.started, "the program listens")
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/", taken
    finally:
        server.should_exit = True
        await serving


def make_an_event_old(stack: Stack) -> None:
    """Has one change look as if it were made three days ago."""
    assert stack.rows("update events set at = at - interval '3 days' where id = (select min(id) from events) returning id")


def doctor(stack: Wrong) -> dict[str, str]:
    """What is not well with the clocks, as somebody is told whose machine is the one with the wrong clock."""
    command = [sys.executable, "-P", "-m", "cli", "doctor", "--data", str(stack.data), "--only", "clocks", "--json"]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, **stack.told_wrong}, capture_output=True, text=True, timeout=60)
    return {one["name"]: one["state"] for one in json.loads(ran.stdout)["checks"]}
