"""The supervisor: starts in order, starts again what ends, and leaves nothing behind."""

import inspect
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from domain.errors import StartFailed
from embedded.children import Child, wait_for
from embedded.folder import DataFolder, opened
from embedded.signals import Signals
from embedded.stack import GRACE
from embedded.supervisor import Stopped, Supervisor


class Script(Child):
    """A few lines of Python."""

    def __init__(self, name: str, code: str, log: Path | None = None) -> None:
        super().__init__(log)
        self.name, self._code = name, code

    def command(self) -> list[str]:
        return [sys.executable, "-c", self._code]


class Heard:
    """Remembers what it was told; `then` does something about each line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.then: Callable[[str], None] = lambda line: None

    def waiting(self, what: str) -> None:
        """Not remembered."""

    def done(self, what: str, seconds: float) -> None:
        """One thing is done."""
        self.lines.append(f"{what} done")

    def note(self, line: str) -> None:
        """Something happened."""
        self.lines.append(line)
        self.then(line)


SLEEP = "import time; time.sleep(60)"
FICKLE = "import pathlib, time\nwhile not pathlib.Path({!r}).exists():\n    time.sleep(0.02)\nraise SystemExit(3)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)}
    with Signals() as signals:
        yield signals
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[DataFolder]:
    with opened(tmp_path) as folder:
        yield folder


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def supervisor(folder: DataFolder, signals: Signals, heard: Heard) -> Iterator[Supervisor]:
    supervisor = Supervisor(folder, signals, heard)
    yield supervisor
    supervisor.kill()


def soon(action: Callable[[], object], after: float = 0.3) -> None:
    """Does something a moment later, while the supervisor has this thread."""
    threading.Timer(after, action).start()


def once(true: Callable[[], bool], action: Callable[[], object]) -> None:
    """Does something as soon as something else is true, while the supervisor has this thread; after 60 s in any case."""

    def look() -> None:
        wait_for(true, 60.0, lambda: None)
        action()

    threading.Thread(target=look, daemon=True).start()


def interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)


def test_starts_again_what_ends_until_it_is_asked_to_stop(supervisor: Supervisor, heard: Heard) -> None:
    child = Script("sleeper", SLEEP)
    supervisor.start(child)
    first = child.pid
    soon(lambda: os.kill(first, signal.SIGKILL), 0.1)
    once(lambda: child.pid != first, interrupt)
    supervisor.watch()
    assert child.alive
    assert child.pid != first
    assert heard.lines == ["sleeper done", "sleeper ended (signal 9) and is started again"]


def test_waits_longer_for_what_ends_again_and_again(
    supervisor: Supervisor, heard: Heard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    """Each time twice as long, 0.2, 0.4 and 0.8 s, and then as long as it gets: only waiting longer leads there."""
    monkeypatch.setattr("embedded.supervisor.LONGEST", 1.0)
    ends = tmp_path / "ends"
    supervisor.start(Script("sleeper", SLEEP), Script("fickle", FICKLE.format(str(ends))))
    heard.then = lambda line: interrupt() if "again and again" in line or len(heard.lines) > 9 else None
    ends.touch()
    supervisor.watch()
    often, last = "fickle ended (exit code 3) and is started again", "fickle ends again and again (exit code 3); it is tried every 1 s"
    assert [line for line in heard.lines if not line.endswith("done")] == [often, often, often, last]


def test_stops_the_last_started_first_and_kills_the_deaf(supervisor: Supervisor, tmp_path: Path) -> None:
    first, deaf = Script("first", SLEEP), Script("deaf", DEAF, tmp_path / "deaf.log")
    supervisor.start(first)
    supervisor.start(deaf)
    while not (tmp_path / "deaf.log").read_text():
        time.sleep(0.02)
    began = time.monotonic()
    supervisor.stop((0.5, 600.0))
    assert time.monotonic() - began >= 0.5
    assert (first.exit_code, deaf.exit_code) == (-signal.SIGTERM, -signal.SIGKILL)


def test_a_second_signal_ends_the_waiting(supervisor: Supervisor, signals: Signals, tmp_path: Path) -> None:
    deaf = Script("deaf", DEAF, tmp_path / "deaf.log")
    supervisor.start(deaf)
    while not (tmp_path / "deaf.log").read_text():
        time.sleep(0.02)
    interrupt()
    soon(interrupt, 0.3)
    supervisor.stop((600.0,))  # longer than a test may take
    assert signals.asked == 2
    assert not deaf.alive


def test_a_child_that_ends_while_it_starts_is_an_error_with_its_last_words(supervisor: Supervisor, tmp_path: Path) -> None:
    class Never(Script):
        def answers(self) -> bool:
            return False

    with pytest.raises(StartFailed, match=r"odd ended while it started: the reason \(more in .*odd\.log\)\."):
        supervisor.start(Never("odd", "raise SystemExit('the reason.')", tmp_path / "odd.log"))
    with pytest.raises(StartFailed, match=r"slow did not answer in time"):
        supervisor.start(Never("slow", SLEEP), within=0.2)


def test_asked_to_stop_while_it_starts(supervisor: Supervisor) -> None:
    soon(interrupt)
    with pytest.raises(Stopped):
        supervisor.run(Script("long", SLEEP))
    supervisor.stop()


def test_what_a_child_started_ends_with_it(supervisor: Supervisor, tmp_path: Path) -> None:
    log = tmp_path / "parent.log"
    code = (
        "import subprocess, sys, time; print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']).pid, flush=True); time.sleep(60)"
    )
    parent = Script("parent", code, log)
    supervisor.start(parent)
    while not log.read_text().endswith("\n"):
        time.sleep(0.02)
    supervisor.stop()
    child = int(log.read_text())
    wait_for(lambda: not runs(child), 60.0, lambda: pytest.fail("it still runs"))


def runs(pid: int) -> bool:
    """Whether a process does; one that is dead and waits to be buried does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_all_ends_within_the_ten_seconds_that_were_promised() -> None:
    """Each group has its span, after which it is killed."""
    spans = inspect.signature(Supervisor.stop).parameters["spans"].default
    assert sum(spans) < 10
    assert float(GRACE) < spans[0], "a worker that ends in order is not cut off"
