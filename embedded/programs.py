"""Our own programs as children: the API, a worker, and the preparation of the database."""

import json
import os
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from domain.errors import StartFailed
from embedded.children import Child
from embedded.temporal import answers_200


class Program(Child):
    """`python -m cli COMMAND` with an environment of its own."""

    def __init__(self, name: str, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        super().__init__(log)
        self.name = name
        self._arguments, self._environment = arguments, environment

    def command(self) -> Sequence[str]:
        """The running Python with our command line."""
        return [sys.executable, "-P", "-m", "cli", *self._arguments]

    def environment(self) -> Mapping[str, str]:
        """Ours, and what it is told."""
        return self._environment


class Api(Program):
    """The API on a port of 127.0.0.1, or of all addresses."""

    def __init__(self, port: int, environment: Mapping[str, str], log: Path) -> None:
        super().__init__("API", ["api"], environment, log)
        self.port = port

    def answers(self) -> bool:
        """Whether it, Postgres and Temporal answer."""
        return self.alive and answers_200("127.0.0.1", self.port, "/readyz")


class Prepare(Program):
    """Migrates the database, and with `demo` applies the demo; ends when that is done."""

    stop_signal = signal.SIGKILL

    def __init__(self, demo: bool, environment: Mapping[str, str], log: Path) -> None:
        super().__init__("database", ["prepare", "--demo" if demo else "--no-demo"], environment, log)
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as we; the sign-in link is for no log
        self._logged = 0

    def output(self) -> IO[bytes] | None:
        """What it answers is read by us."""
        return self._said

    def prepare(self) -> None:
        """Remembers where its part of the log begins."""
        self._logged = self.log.stat().st_size if self.log and self.log.exists() else 0

    def answer(self) -> Mapping[str, str]:
        """What it said at its end. Raises StartFailed with its own sentence when it failed."""
        if self.exit_code != 0:
            raise StartFailed(self._reason())
        self._said.seek(0, os.SEEK_SET)
        lines = self._said.read().decode("utf-8").strip().splitlines()
        return dict(json.loads(lines[-1])) if lines else {}

    def _reason(self) -> str:
        assert self.log is not None
        written = self.log.read_bytes()[self._logged :].decode("utf-8", "replace").splitlines()
        last = next((line.strip() for line in reversed(written) if line.strip()), "")
        if last and not any(line.startswith("Traceback") for line in written):
            return last
        return f"The database cannot be prepared{self.last_words()}."
