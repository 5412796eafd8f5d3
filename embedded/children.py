"""A program that runs under us: started in a group of its own, logged to a file, ended with all that it started."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from domain.errors import StartFailed
from embedded.identity import identity

LOOK_EVERY = 0.02
LOG_LIMIT = 10_000_000
PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One program. `spawn` returns at once, `start` when it answers; subclasses say what answering means."""

    name = "program"
    stop_signal = signal.SIGTERM
    death_signal = signal.SIGKILL
    """What Linux sends the program when we die without a word."""

    def __init__(self, log: Path | None = None) -> None:
        self.log = log
        self._popen: subprocess.Popen[bytes] | None = None

    def command(self) -> Sequence[str]:
        """The program and its arguments."""
        raise NotImplementedError

    def environment(self) -> Mapping[str, str]:
        """The program's environment; ours unless a subclass knows better."""
        return os.environ

    def folder(self) -> Path | None:
        """The program's working folder; ours when None."""
        return None

    def output(self) -> IO[bytes] | None:
        """Where its standard output goes; to the log when None."""
        return None

    def prepare(self) -> None:
        """What has to be true before each start; raises StartFailed where it cannot be made so."""

    def answers(self) -> bool:
        """Whether the program does its work already."""
        return self.alive

    @property
    def pid(self) -> int:
        """The program's pid, 0 before its first start."""
        return self._popen.pid if self._popen else 0

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._popen is not None and self.exit_code is None

    @property
    def exit_code(self) -> int | None:
        """How it ended; negative is a signal's number, None while it runs. What it left behind in its group ends with it."""
        if self._popen is None:
            return None
        if self._popen.returncode is None and self._popen.poll() is not None:
            self._end_group()
        return self._popen.returncode

    @property
    def identity(self) -> str:
        """What tells it from later programs with the same pid, empty when it runs no more."""
        return identity(self.pid) or ""

    def spawn(self) -> None:
        """Starts the program and returns at once. Raises StartFailed."""
        self.prepare()
        with self._opened_log() as log:
            try:
                self._popen = subprocess.Popen(
                    self.command(),
                    stdin=subprocess.DEVNULL,
                    stdout=self.output() or log,
                    stderr=log,
                    env=dict(self.environment()),
                    cwd=self.folder(),
                    start_new_session=True,
                    preexec_fn=dies_with_us(self.death_signal),
                )
            except OSError as error:
                raise StartFailed(f"{self.name} cannot be started ({error.strerror}); remove .venv and start again.") from error

    def start(self, within: float = 60.0) -> None:
        """Starts the program and returns when it answers. Raises StartFailed, with what it said last, when it ends or is late."""
        self.spawn()
        wait_for(self.answers_or_fails, within, self.fail_late)

    def answers_or_fails(self) -> bool:
        """Like `answers`, but raises StartFailed when the program has ended."""
        if self.answers():
            return True
        if not self.alive:
            raise StartFailed(f"{self.name} ended while it started{self.last_words()}.")
        return False

    def fail_late(self) -> None:
        """Ends the program, which took too long to answer, and raises StartFailed."""
        self.kill()
        raise StartFailed(f"{self.name} did not answer in time{self.last_words()}.")

    def ask_to_stop(self) -> None:
        """Asks the program to end and returns at once."""
        if self._popen and self.alive:
            self._popen.send_signal(self.stop_signal)

    def stop(self, within: float = 10.0) -> None:
        """Asks the program to end, waits `within` seconds for it, and then ends it."""
        self.ask_to_stop()
        wait_for(lambda: not self.alive, within, self.kill)

    def kill(self) -> None:
        """Ends the program and whatever it started, at once."""
        if self._popen and self.alive:
            self._end_group()
            self._popen.wait()

    def _end_group(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def last_words(self) -> str:
        """The last line of the log as part of a sentence, with the file that has the rest."""
        if self.log is None:
            return ""
        lines = self.log.read_text("utf-8", "replace").splitlines() if self.log.exists() else []
        said = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return f": {said.rstrip('.')[:300]} (more in {self.log})" if said else f"; see {self.log}"

    def _opened_log(self) -> IO[bytes]:
        if self.log is None:
            return open(os.devnull, "ab")
        trim(self.log)
        return open(self.log, "ab", opener=_owner_only)


def _owner_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def trim(log: Path, limit: int = LOG_LIMIT) -> None:
    """Keeps a log that grew beyond `limit` bytes as its `.1` and begins it anew; programs that write to it go on."""
    if not log.exists() or log.stat().st_size <= limit:
        return
    kept = log.with_suffix(log.suffix + ".1")
    kept.write_bytes(log.read_bytes())
    kept.chmod(0o600)
    os.truncate(log, 0)


def wait_for(true: Callable[[], bool], within: float, late: Callable[[], None]) -> None:
    """Looks until something is true; calls `late` once `within` seconds have passed."""
    ends = time.monotonic() + within
    while not true():
        if time.monotonic() > ends:
            late()
            return
        time.sleep(LOOK_EVERY)


def dies_with_us(death_signal: signal.Signals) -> Callable[[], None] | None:
    """What a child calls before it becomes its program: on Linux it gets a signal when the thread that started it ends.

    Where that ended before the child could say so, nobody would ever tell it: it ends here.
    """
    if _libc is None:
        return None
    prctl, number, us = _libc.prctl, int(death_signal), os.getpid()

    def call() -> None:
        prctl(PR_SET_PDEATHSIG, number)
        if os.getppid() != us:
            os._exit(1)

    return call
