"""Switchboard as `up` starts it, and what a fault test does to it: kills parts by name and asks Postgres what became of everything."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

ROOT = Path(__file__).parents[2]
PARTS = ("worker", "API", "Temporal", "Postgres")
STARTED_WITHIN = 120
PATIENCE = 90.0


class Stack:
    """One `up` over a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.ready = folder, folder / "data", folder / "ready.json"
        self.told: dict[str, Any] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and returns when it serves; again over the same data after it was ended."""
        self.ready.unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "cli", "up", "--port", "auto", "--no-browser", "--data", str(self.data), "--ready-file", str(self.ready)]
        log = (self.folder / "up.log").open("ab")
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"})
        ends = time.monotonic() + STARTED_WITHIN
        while not self.ready.exists():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"it did not start: {(self.folder / 'up.log').read_text('utf-8')[-2000:]}")
            time.sleep(0.05)
        self.told = json.loads(self.ready.read_text("utf-8"))

    def stop(self) -> int:
        """Ends it as Ctrl-C does. Returns its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    def kill_all(self) -> None:
        """Ends every process of it at once, as a power cut does."""
        assert self._process
        supervisor = psutil.Process(self._process.pid)
        family = [supervisor, *supervisor.children(recursive=True)]
        for process in family:
            process.kill()
        psutil.wait_procs(family, 20)
        self._process.wait(10)

    def kill(self, part: str) -> None:
        """SIGKILL for one part: the processes of its group."""
        children = {child["name"]: child["pid"] for child in json.loads((self.data / "children.json").read_text("utf-8"))}
        victim = psutil.Process(children[part])
        for process in [victim, *victim.children(recursive=True)]:
            process.kill()

    @property
    def api(self) -> httpx.Client:
        """A client with the admin's token."""
        return httpx.Client(base_url=self.told["api"], headers={"authorization": f"Bearer {self.told['admin_token']}"}, timeout=10)

    @property
    def chat_url(self) -> str:
        """The web chat's socket."""
        return self.told["api"].replace("http", "ws") + "/v1/chat/" + self.told["chat"].rsplit("/", 1)[1]

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

    def until(self, query: str, *params: Any) -> dict[str, Any]:
        """The first row of a query as soon as it has one."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if rows := self.rows(query, *params):
                return rows[0]
            time.sleep(0.1)
        raise AssertionError(f"never came true: {query} {params}")

    def decide(self, approval: str, verdict: str) -> httpx.Response:
        """Decides as a person would: again and again until an answer comes."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with self.api as client:
                    answer = client.post(f"/v1/approvals/{approval}/decide", json={"verdict": verdict})
                if answer.status_code != 503:
                    return answer
            except httpx.HTTPError:
                pass
            if time.monotonic() > ends:
                raise AssertionError("the decision was never taken")
            time.sleep(0.2)
