"""`up` as a person starts it, in a program of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from embedded.accounts import Account, run_as
from embedded.identity import runs

ROOT = Path(__file__).parents[2]
PATIENCE = 120.0


class Start:
    """One `up` over a folder, with further options and variables; `account` is who starts it when that is not us."""

    begun: ClassVar[list["Start"]] = []

    def __init__(self, data: Path, *options: str, outside: Mapping[str, str] | None = None, account: Account | None = None) -> None:
        self.data, self.ready = data, data.with_name(data.name + ".ready")
        self.ready.unlink(missing_ok=True)
        command = [sys.executable, "-P", "-m", "cli", "up", "--port", "auto", "--no-browser", "--data", str(data), "--ready-file", str(self.ready)]
        needs = [ROOT / "cli", Path(sys.executable), Path(sys.executable).resolve(), data]
        self.program = subprocess.Popen(
            run_as(account, [*command, *options], needs),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "COLUMNS": "80", "PYTHONDONTWRITEBYTECODE": "1", **(outside or {})},
        )
        self.recorded: list[dict[str, Any]] = []
        Start.begun.append(self)

    @classmethod
    def end_all(cls) -> None:
        """Ends those that a failed test left."""
        for start in cls.begun:
            if start.program.poll() is None:
                start.program.kill()
                start.end()
        cls.begun.clear()

    def serves(self) -> dict[str, Any]:
        """What the ready file says, once it is there."""
        ends = time.monotonic() + PATIENCE
        while not self.ready.exists():
            if self.program.poll() is not None or time.monotonic() > ends:
                raise AssertionError(f"it does not serve: {self.end()}")
            time.sleep(0.05)
        self.recorded = json.loads((self.data / "children.json").read_text())
        return dict(json.loads(self.ready.read_text()))

    def ask(self, number: signal.Signals = signal.SIGINT) -> None:
        """Sends it a signal."""
        self.program.send_signal(number)

    def end(self) -> tuple[int, str]:
        """Its exit code and what it wrote, once it has ended."""
        try:
            said, _ = self.program.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.program.kill()
            raise
        return self.program.returncode, said

    def left(self) -> list[str]:
        """Its children that still run."""
        return [one["name"] for one in self.recorded if runs(one["pid"], one["identity"])]
