"""A power cut leaves nothing running, at whatever moment it comes, and a start that fails says why."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

from domain.errors import StartFailed
from embedded.running import Running
from tests.crash.conftest import ended
from tests.crash.stack import Stack

ORPHAN = """
import os, signal
from embedded.children import dies_with_us
call = dies_with_us(signal.SIGKILL)
reader, writer = os.pipe()
if os.fork() == 0:
    us = os.getpid()
    if os.fork() == 0:
        while os.getppid() == us:
            pass
        call()
        os.write(writer, b"lives on")
    os._exit(0)
os.close(writer)
print(os.read(reader, 100).decode())
"""


@pytest.fixture
def cut() -> Iterator[Stack]:
    """A stack that is not started yet."""
    with ended(Stack) as stack:
        yield stack


def _left(stack: Running) -> list[str]:
    """The programs that work in its folder."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(stack.folder) in " ".join([process.cwd(), *process.cmdline()]) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process.name())
    return found


def _started(stack: Running, failed: list[StartFailed]) -> None:
    try:
        stack.start()
    except StartFailed as why:
        failed.append(why)


def _cut_when_written(stack: Running, log: str) -> None:
    """Starts it, and cuts the power the moment that a part writes to its log."""
    file = stack.data / "logs" / f"{log}.log"
    failed: list[StartFailed] = []
    size = file.stat().st_size if file.exists() else 0
    starting = threading.Thread(target=_started, args=(stack, failed))
    starting.start()
    while not (file.exists() and file.stat().st_size > size) and starting.is_alive():
        time.sleep(0.001)
    stack.kill_all()
    starting.join()
    assert [str(why) for why in failed if "exit code -9" not in str(why)] == []


def test_a_power_cut_leaves_nothing_at_whatever_moment_and_the_next_start_serves(cut: Stack) -> None:
    for log in ("temporal", "postgres", "worker"):
        _cut_when_written(cut, log)
        assert _left(cut) == []

    cut.start()
    parts = {process.pid for part in ("Postgres", "worker") for process in cut.part(part)}
    cut.kill("Postgres")
    cut.kill("worker")
    assert not parts & {process.pid for process in psutil.process_iter() if process.status() != psutil.STATUS_ZOMBIE}
    assert cut.rows("select 1 as there") == [{"there": 1}]

    cut.kill_all()
    cut.kill_all()
    assert _left(cut) == []


def test_a_start_that_fails_says_why(cut: Stack) -> None:
    wrong = Running(cut.folder, "--no-such-thing")

    with pytest.raises(StartFailed, match=r"(?s)exit code 2.*No such option: --no-such-thing"):
        wrong.start()
    assert not wrong.alive


def test_a_child_whose_starter_died_before_it_could_be_told_of_it_ends_itself() -> None:
    said = subprocess.run([sys.executable, "-c", ORPHAN], capture_output=True, text=True, timeout=60, check=True)

    assert said.stdout.strip() == ""
