"""Switchboard as `up` starts it, and what a fault test does to it: kills parts by name and asks Postgres what became of everything."""

import asyncio
import itertools
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psycopg

from embedded.running import ROOT, Running
from tests.crash import kit, points
from tests.journeys.stacks import kit_in

PARTS = ("worker", "API", "Temporal", "Postgres")
PATIENCE = 90.0


class Stack(Running):
    """One `up`, and what became of everything in it."""

    @property
    def api(self) -> httpx.Client:
        """A client with the admin's token."""
        return httpx.Client(base_url=self.told["api"], headers=self._headers, timeout=10)

    @property
    def _headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.told['admin_token']}"}

    def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        """Rows of a query as the owner sees them; tried until Postgres is there."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self.told["database_url"], row_factory=psycopg.rows.dict_row, connect_timeout=3) as connection:
                    return connection.execute(query, params).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)

    async def until(self, query: str, *params: Any) -> dict[str, Any]:
        """The first row of a query as soon as it has one."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if rows := await asyncio.to_thread(self.rows, query, *params):
                return rows[0]
            await asyncio.sleep(0.1)
        raise AssertionError(f"never came true: {query} {params}")

    async def post(self, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """Asks as a person would: again and again until an answer comes."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                async with httpx.AsyncClient(base_url=self.told["api"], headers=self._headers, timeout=10) as client:
                    answer = await client.post(path, json=body)
                if answer.status_code != 503:
                    return answer
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
        raise AssertionError(f"never answered: {path}")

    async def decide(self, approval: str, verdict: str, **more: str) -> httpx.Response:
        """Decides an approval, however often that has to be tried."""
        return await self.post(f"/v1/approvals/{approval}/decide", {"verdict": verdict, **more})


class Armed:
    """A place where a process is made to stop, until `disarm`; or to lose what it is about to send."""

    def __init__(self, file: Path, told: Mapping[str, Any]) -> None:
        self._file, self._told = file, told
        beside = file.with_suffix(".new")
        beside.write_text(json.dumps(told), "utf-8")
        beside.replace(file)

    async def reached(self) -> None:
        """Returns as soon as somebody is stopped there. A place that nobody comes to is a failure, not a success."""
        ends = time.monotonic() + PATIENCE
        while not self.is_reached:
            assert time.monotonic() < ends, f"never reached: {self._told}"
            await asyncio.sleep(0.01)

    @property
    def is_reached(self) -> bool:
        """Whether somebody was stopped there."""
        return self._file.with_suffix(".reached").exists()

    def disarm(self) -> None:
        """Lets whoever is stopped there go on."""
        self._file.unlink(missing_ok=True)


class Stoppable(Stack):
    """A stack whose worker and API can be made to stop at places, with runs that soon end or continue as new."""

    def __init__(self, folder: Path) -> None:
        self.points, self.posts = folder / "points", folder / "posted"
        self.points.mkdir()
        self._numbers = itertools.count(1)
        path = os.pathsep.join(map(str, (ROOT, kit_in(folder, kit.ENTRY_POINTS))))
        told = {"PYTHONPATH": path, points.FOLDER: str(self.points), kit.POSTED: str(self.posts)}
        quick = {"SWITCHBOARD_LINGER": "2", "SWITCHBOARD_LOOKS_BEFORE_CONTINUE": "5", "SWITCHBOARD_CHAT_CONNECTIONS": "1000"}
        super().__init__(folder, environment=told | quick)

    def arm(self, part: str, place: str, edge: str, *words: str, lose: bool = False) -> Armed:
        """Makes a part stop at a place, for a call with all these words in it."""
        told = {"part": part, "place": place, "edge": edge, "words": words, "lose": lose}
        return Armed(self.points / f"{next(self._numbers)}.armed", told)
