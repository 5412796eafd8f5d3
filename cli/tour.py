"""`tour`: ninety seconds that show what the rest is about: a refund is asked for, everything is killed, and it is paid once."""

import asyncio
import contextlib
import json
import sys
import tempfile
import time
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import httpx
import psycopg
import typer
import websockets
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from cli.output import out
from domain.errors import StartFailed
from embedded.running import Running

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
PATIENCE = 60.0
AMOUNT, TO = 42, "Ana"
WIDTH = 76
STEPS = {
    "start": "Postgres, Temporal, a worker and the API start, in a new folder.",
    "ask": "A refund is asked for. Without a human's word nothing is paid.",
    "kill": "While it waits, the worker and the API are killed.",
    "back": "Both were started again. What waited still waits, unchanged.",
    "talk": "The conversation was not blocked meanwhile.",
    "approve": "The owner approves, and exactly that is carried out.",
    "again": "A second click is told the truth.",
    "paid": "It was paid once.",
    "look": "The whole story is in Temporal's web UI, while this runs.",
}
"""What each step shows, in order. The recorded picture in the README has the same sentences; a test compares them."""


@app.command()
def tour(
    fast: Annotated[bool, typer.Option("--fast", help="Without the pauses for reading.")] = False,
) -> None:
    """See an approval survive a kill: in a stack of its own, in a folder that is gone afterwards. Nothing of yours is touched."""
    with tempfile.TemporaryDirectory(prefix="sb-tour-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        running, guide = Running(folder), Guide(fast)
        guide.step("start")
        running.start()
        try:
            guide.shown("Ready.")
            asyncio.run(_tour(running, guide))
        finally:
            running.stop()
    out.print(Text("\n  That was it. `./switchboard up` is the same, with your data.", style="bold"))


class Guide:
    """Tells the story, at the pace of somebody who reads it for the first time."""

    SECONDS_A_WORD, AT_LEAST = 0.24, 1.0

    def __init__(self, fast: bool) -> None:
        self._fast, self._count = fast, 0

    def step(self, name: str) -> None:
        """Begins a step: its number and its sentence."""
        self._count += 1
        sentence = STEPS[name]
        number = Text(f"{self._count}/{len(STEPS)}  ", style="bold cyan")
        out.print()
        out.print(Padding(Text.assemble(number, (sentence, "bold")), (0, 2)), width=WIDTH, soft_wrap=False)
        self._let_read(sentence)

    def shown(self, what: str) -> None:
        """Something that happened in this step."""
        out.print(Padding(Text(what), (0, 2, 0, 7)), width=WIDTH, soft_wrap=False)
        self._let_read(what)

    def said(self, who: str, words: str) -> None:
        """What somebody wrote in the chat."""
        line = Table.grid(padding=(0, 2, 0, 0))
        line.add_row(Text(f"{who:<5}", style="cyan" if who == "you" else "green"), Text(words))
        out.print(Padding(line, (0, 2, 0, 7)), width=WIDTH, soft_wrap=False)
        self._let_read(words)

    def _let_read(self, words: str) -> None:
        if not self._fast:
            time.sleep(self.AT_LEAST + self.SECONDS_A_WORD * len(words.split()))


async def _tour(running: Running, guide: Guide) -> None:
    key = {"authorization": f"Bearer {running.told['admin_token']}"}
    async with httpx.AsyncClient(base_url=running.told["api"], headers=key, timeout=PATIENCE) as api:
        visitor = Visitor(running, guide)
        guide.step("ask")
        await visitor.say(f"refund {AMOUNT} to {TO}")
        waiting = (await api.get("/v1/approvals", params={"state": "pending"})).json()["items"][0]
        guide.shown(f"{waiting['id']} waits: a row in Postgres, a timer in Temporal. {_paid(running)}")
        await _killed(running, guide, api)
        still = (await api.get(f"/v1/approvals/{waiting['id']}")).json()
        guide.step("back")
        guide.shown(f"The approval is {still['state']}: {still['action']} {json.dumps(still['arguments'])}")
        guide.step("talk")
        await visitor.say("echo are you still there?")
        await _decided(running, guide, api, visitor, still)
        guide.step("look")
        out.print(f"       {still['run_url']}", soft_wrap=True, highlight=False)
        if sys.stdin.isatty():
            webbrowser.open(still["run_url"])
            with contextlib.suppress(EOFError):
                out.input("\n  Enter ends the tour. ")


async def _killed(running: Running, guide: Guide, api: httpx.AsyncClient) -> None:
    guide.step("kill")
    for name in ("worker", "API"):
        pids = ", ".join(str(process.pid) for process in running.part(name))
        running.kill(name)
        guide.shown(f"kill -9 {pids}    the {name} is gone")
    await _ready(api)


async def _decided(running: Running, guide: Guide, api: httpx.AsyncClient, visitor: "Visitor", asked: dict[str, Any]) -> None:
    path, sha256 = f"/v1/approvals/{asked['id']}/decide", asked["arguments_sha256"]
    guide.step("approve")
    (await api.post(path, json={"verdict": "approved", "arguments_sha256": sha256})).raise_for_status()
    await visitor.hear()
    guide.step("again")
    told = (await api.post(path, json={"verdict": "denied"})).json()
    guide.shown(f"deny → {told['status']} {told['code']}: it was {told['verdict']}, at {told['decided_at'][11:19]} UTC.")
    guide.step("paid")
    guide.shown(_paid(running))


def _paid(running: Running) -> str:
    """How many refunds of the amount were paid: rows of the demo's own table."""
    with psycopg.connect(running.told["database_url"]) as sql:
        found = sql.execute("select count(*) from demo_refunds where amount = %s", (AMOUNT,)).fetchone()
    rows = int(found[0]) if found else 0
    return f"The table demo_refunds has {rows or 'no'} row{'' if rows == 1 else 's'} of {AMOUNT}."


async def _ready(api: httpx.AsyncClient) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            if (await api.get("/readyz")).status_code == 200:
                return
        except httpx.TransportError:
            await asyncio.sleep(0.2)
    raise StartFailed("The API did not come back; its log is in the folder of the tour.")


class Visitor:
    """Somebody at the web chat who comes back with the same token after the socket dropped."""

    def __init__(self, running: Running, guide: Guide) -> None:
        self._running, self._guide = running, guide
        self._token: str | None = None
        self._after = 0
        self._count = 0

    async def say(self, text: str) -> None:
        """Writes, and hears what answers."""
        self._count += 1
        self._guide.said("you", text)
        self._guide.said("agent", await self._next({"id": f"tour-{self._count}", "text": text}))

    async def hear(self) -> None:
        """Hears the next thing the agent says."""
        self._guide.said("agent", await self._next(None))

    async def _next(self, message: dict[str, Any] | None) -> str:
        async with asyncio.timeout(PATIENCE), websockets.connect(self._running.chat_url) as socket:
            await socket.send(json.dumps({"type": "hello", "after": self._after} | ({"token": self._token} if self._token else {})))
            self._token = json.loads(await socket.recv())["token"]
            if message:
                await socket.send(json.dumps(message))
            async for raw in socket:
                frame = json.loads(raw)
                if frame["type"] == "message":
                    self._after = max(self._after, frame["seq"])
                    if frame["direction"] == "outbound":
                        return str(frame["text"])
        raise StartFailed("The chat closed without an answer.")
