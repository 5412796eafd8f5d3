"""A running `up` as its own child: what tests, the bench and the tour start, ask and kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

from domain.errors import StartFailed

ROOT = Path(__file__).parent.parent
STARTED_WITHIN = 120.0


class Running:
    """One `up` over a folder of its own, on ports of its choosing. `told` is its ready file."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.data, self.ready, self.log = folder, folder / "data", folder / "ready.json", folder / "up.log"
        self.told: dict[str, Any] = {}
        self._options, self._environment = options, environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it and returns when it serves; again over the same data after it was ended. Raises StartFailed with what it said."""
        self.ready.unlink(missing_ok=True)
        places = ["--data", str(self.data), "--ready-file", str(self.ready)]
        command = [sys.executable, "-P", "-m", "cli", "up", "--port", "auto", "--no-browser", *places]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*command, *self._options], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "NO_COLOR": "1", **self._environment},
            )  # fmt: skip
        ends = time.monotonic() + STARTED_WITHIN
        while not self.ready.exists():
            if self._process.poll() is not None or time.monotonic() > ends:
                raise StartFailed(f"It did not start: {self.log.read_text('utf-8')[-2000:]}")
            time.sleep(0.05)
        self.told = json.loads(self.ready.read_text("utf-8"))

    def stop(self) -> int:
        """Ends it as Ctrl-C does. Returns its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(30)

    def family(self) -> list[psutil.Process]:
        """Its processes, the supervisor first."""
        assert self._process
        supervisor = psutil.Process(self._process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def kill_all(self) -> None:
        """Ends every process of it at once, as a power cut does."""
        assert self._process
        family = self.family()
        for process in family:
            process.kill()
        psutil.wait_procs(family, 20)
        self._process.wait(10)

    def part(self, name: str) -> list[psutil.Process]:
        """The processes of one part: worker, API, Temporal or Postgres."""
        children = {child["name"]: child["pid"] for child in json.loads((self.data / "children.json").read_text("utf-8"))}
        first = psutil.Process(children[name])
        return [first, *first.children(recursive=True)]

    def kill(self, name: str) -> None:
        """SIGKILL for one part; its supervisor starts another."""
        for process in self.part(name):
            process.kill()

    @property
    def chat_url(self) -> str:
        """The web chat's socket."""
        account = str(self.told["chat"]).rsplit("/", 1)[1]
        return str(self.told["api"]).replace("http", "ws", 1) + f"/v1/chat/{account}"
