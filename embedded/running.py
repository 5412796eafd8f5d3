"""A running `up` as its own child: what tests, the bench and the tour start, ask and kill."""

import contextlib
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
GONE_WITHIN = 20.0


class Running:
    """One `up` over a folder of its own, on ports of its choosing. `told` is its ready file."""

    def __init__(self, folder: Path, *options: str, environment: dict[str, str] | None = None) -> None:
        self.folder, self.data, self.ready, self.log = folder, folder / "data", folder / "ready.json", folder / "up.log"
        self.told: dict[str, Any] = {}
        self._options, self._environment = options, environment or {}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        """Whether its supervisor runs."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Starts it and returns when it serves; again over the same data after it was ended. Raises StartFailed with what it said."""
        self.ready.unlink(missing_ok=True)
        places = ["--data", str(self.data), "--ready-file", str(self.ready)]
        command = [sys.executable, "-P", "-m", "cli", "up", "--port", "auto", "--no-browser", *places]
        with self.log.open("ab") as log:
            begins = log.tell()
            self._process = subprocess.Popen(
                [*command, *self._options], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env={**os.environ, "NO_COLOR": "1", **self._environment},
            )  # fmt: skip
        ends = time.monotonic() + STARTED_WITHIN
        while not self.ready.exists():
            if not self.alive:
                raise StartFailed(f"It did not start (exit code {self._process.returncode}): {self._said(begins)}")
            if time.monotonic() > ends:
                self.kill_all()
                raise StartFailed(f"It did not serve within {STARTED_WITHIN:.0f} seconds: {self._said(begins)}")
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
        """Ends every process of it at once, as a power cut does. Returns when none is left; does nothing where none runs."""
        if self._process is None or self._process.poll() is not None:
            return
        _kill(_frozen(psutil.Process(self._process.pid)))
        self._process.wait(GONE_WITHIN)

    def part(self, name: str) -> list[psutil.Process]:
        """The processes of one part: worker, API, Temporal or Postgres."""
        children = {child["name"]: child["pid"] for child in json.loads((self.data / "children.json").read_text("utf-8"))}
        first = psutil.Process(children[name])
        return [first, *first.children(recursive=True)]

    def kill(self, name: str) -> None:
        """SIGKILL for one part; returns when it is gone. Its supervisor starts another."""
        _kill(self.part(name))

    @property
    def chat_url(self) -> str:
        """The web chat's socket."""
        account = str(self.told["chat"]).rsplit("/", 1)[1]
        return str(self.told["api"]).replace("http", "ws", 1) + f"/v1/chat/{account}"

    def _said(self, begins: int) -> str:
        """What this start wrote, and the ends of its parts' logs: the reason is in one of them."""
        said = [_tail(self.log, begins), *(f"{log.name}: {_tail(log)}" for log in sorted((self.data / "logs").glob("*.log")))]
        return "\n".join(said)


def _tail(log: Path, begins: int = 0) -> str:
    return log.read_bytes()[begins:].decode("utf-8", "replace")[-2000:]


def _frozen(supervisor: psutil.Process) -> list[psutil.Process]:
    """A process and all that it started, each stopped so that none can start another while they are looked for."""
    found: dict[int, psutil.Process] = {}
    while fresh := [one for one in _tree(supervisor) if one.pid not in found]:
        for process in fresh:
            found[process.pid] = process
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()
    return list(found.values())


def _tree(first: psutil.Process) -> list[psutil.Process]:
    try:
        return [first, *first.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _kill(processes: list[psutil.Process]) -> None:
    """SIGKILL for all of these; one may have ended already, because another did. Returns when none is left."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    ends = time.monotonic() + GONE_WITHIN
    while left := [process for process in processes if _runs(process)]:
        assert time.monotonic() < ends, f"still there after SIGKILL: {left}"
        time.sleep(0.01)


def _runs(process: psutil.Process) -> bool:
    """Whether it does; one that is dead and waits to be buried by its parent does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
