"""`tour`: ninety seconds that show what the rest is about: a refund is asked for, everything is killed, and it is paid once."""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psycopg
import typer
import websockets
from rich.text import Text

from cli.output import out
from domain.errors import StartFailed
from embedded.running import Running

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
PATIENCE = 60.0
AMOUNT = 25


@app.command()
def tour() -> None:
    """See an approval survive a kill: in a stack of its own, in a folder that is gone afterwards. Nothing of yours is touched."""
    with tempfile.TemporaryDirectory(prefix="sb-tour-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        running = Running(folder)
        tell("Starting Postgres, Temporal, a worker and the API in a folder of their own …")
        running.start()
        try:
            asyncio.run(_tour(running))
        finally:
            running.stop()
    tell("That was it. `./switchboard up` is the same, with your data.")


async def _tour(running: Running) -> None:
    key = {"authorization": f"Bearer {running.told['admin_token']}"}
    async with httpx.AsyncClient(base_url=running.told["api"], headers=key, timeout=PATIENCE) as api:
        visitor = Visitor(running)
        said(f"refund {AMOUNT} to Ana", await visitor.say(f"refund {AMOUNT} to Ana"))
        waiting = (await api.get("/v1/approvals", params={"state": "pending"})).json()["items"][0]
        tell(f"An approval waits: {waiting['id']}. Now the worker and the API are killed, as kill -9 does.")
        running.kill("worker")
        running.kill("API")
        await _ready(api)
        still = (await api.get(f"/v1/approvals/{waiting['id']}")).json()
        tell(f"They are back by themselves. The approval is still {still['state']}, with the same arguments: {json.dumps(still['arguments'])}.")
        said("echo are you there?", await visitor.say("echo are you there?"))
        tell("Now the owner approves.")
        decided = await api.post(f"/v1/approvals/{waiting['id']}/decide", json={"verdict": "approved", "arguments_sha256": still["arguments_sha256"]})
        decided.raise_for_status()
        said(None, await visitor.next())
        again = await api.post(f"/v1/approvals/{waiting['id']}/decide", json={"verdict": "denied"})
        tell(f"A second click is told the truth: {again.json()['detail']}")
        rows = _rows(running)
        tell(f"The table demo_refunds has {rows} row{'s' if rows != 1 else ''} of {AMOUNT}: paid {'once' if rows == 1 else f'{rows} times'}.")
        tell("The whole story is in Temporal's web UI, as long as this runs:")
        out.print(f"    {still['run_url']}", soft_wrap=True, highlight=False)
        if sys.stdin.isatty():
            out.input("  Enter ends the tour. ")


def _rows(running: Running) -> int:
    """How many refunds of the amount were paid: rows of the demo's own table."""
    with psycopg.connect(running.told["database_url"]) as sql:
        found = sql.execute("select count(*) from demo_refunds where amount = %s", (AMOUNT,)).fetchone()
    return int(found[0]) if found else 0


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

    def __init__(self, running: Running) -> None:
        self._running = running
        self._token: str | None = None
        self._after = 0
        self._count = 0

    async def say(self, text: str) -> str:
        """Writes, and returns what answers."""
        self._count += 1
        return await self._hear({"id": f"tour-{self._count}", "text": text})

    async def next(self) -> str:
        """The next thing the agent says."""
        return await self._hear(None)

    async def _hear(self, message: dict[str, Any] | None) -> str:
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


def tell(sentence: str) -> None:
    """One line of the tour."""
    out.print(Text(f"  {sentence}"), soft_wrap=False)


def said(question: str | None, answer: str) -> None:
    """What was written and what came back."""
    if question:
        out.print(Text.assemble(("    you    ", "dim"), question))
    out.print(Text.assemble(("    agent  ", "dim"), answer))
