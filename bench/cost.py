"""What one turn costs: Postgres commits, Temporal events, and the time from a message to its answer.

./switchboard up --port auto --no-browser --data DIR --ready-file F     (in another terminal)
.venv/bin/python -m bench.cost F
"""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import psycopg
import websockets
from rich.console import Console
from temporalio.client import Client

TURNS = 50
out = Console(highlight=False)


async def main(ready: str) -> None:
    """Prints the figures of `TURNS` echo turns of one conversation, one after the other."""
    told = json.loads(Path(ready).read_text("utf-8"))
    url = told["api"].replace("http", "ws") + "/v1/chat/" + told["chat"].rsplit("/", 1)[1]
    with psycopg.connect(told["database_url"], autocommit=True) as sql:
        async with websockets.connect(url) as socket:
            await socket.send(json.dumps({"type": "hello"}))
            await socket.recv()
            await say(socket, "warm", 0)
            quiet = await commits_in(sql, 5.0)
            before, began = count(sql), time.monotonic()
            events_before = await events(told, sql)
            timed = [await say(socket, f"echo {n}", n + 1) for n in range(TURNS)]
            took = time.monotonic() - began
            await asyncio.sleep(1.5)
            commits = (count(sql) - before - quiet * (took + 1.5)) / TURNS
            happened = (await events(told, sql) - events_before) / TURNS
    out.print(f"accept, median      {statistics.median(a for a, _ in timed) * 1000:8.1f} ms")
    out.print(f"reply, median       {statistics.median(r for _, r in timed) * 1000:8.1f} ms")
    out.print(f"Postgres commits    {commits:8.1f} a turn ({quiet:.1f}/s when idle, taken off)")
    out.print(f"Temporal events     {happened:8.1f} a turn")
    for name, megabytes in memory(told["pid"]).items():
        out.print(f"memory {name:<12} {megabytes:8.0f} MB PSS")


async def say(socket: Any, text: str, n: int) -> tuple[float, float]:
    """Seconds until a message was acknowledged, and until it was answered."""
    began, acked = time.perf_counter(), 0.0
    await socket.send(json.dumps({"id": f"b{n}", "text": text}))
    while True:
        frame = json.loads(await socket.recv())
        if frame["type"] == "ack":
            acked = time.perf_counter() - began
        if frame["type"] == "message" and frame["direction"] == "outbound":
            return acked, time.perf_counter() - began


def count(sql: psycopg.Connection[Any]) -> int:
    """Transactions committed so far; reads count too, so only those that wrote are taken."""
    row = sql.execute("select pg_current_xact_id()::text::bigint").fetchone()
    assert row
    return int(row[0])


async def commits_in(sql: psycopg.Connection[Any], seconds: float) -> float:
    """Commits a second while nothing happens."""
    before = count(sql)
    await asyncio.sleep(seconds)
    return (count(sql) - before - 1) / seconds


async def events(told: dict[str, Any], sql: psycopg.Connection[Any]) -> int:
    """Events in the newest session's history."""
    row = sql.execute("select tenant_id, id from sessions order by id desc limit 1").fetchone()
    assert row
    client = await Client.connect(told["temporal_address"])
    described = await client.get_workflow_handle(f"session/{row[0]}/{row[1]}").describe()
    return int(described.history_length)


def memory(pid: int) -> dict[str, float]:
    """Proportional set size of every part, in megabytes."""
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    sizes: dict[str, float] = {}
    for process in family:
        words = process.cmdline()
        name = next((word for word in ("postgres", "temporal", "worker", "api", "up") if any(word in w.rsplit("/", 1)[-1] for w in words)), "other")
        sizes[name] = sizes.get(name, 0.0) + process.memory_full_info().pss / 1e6
    return sizes | {"together": sum(sizes.values())}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m bench.cost READY_FILE, what `./switchboard up --ready-file READY_FILE` writes when it serves")
    asyncio.run(main(sys.argv[1]))
