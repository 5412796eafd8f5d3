"""Which program a pid belongs to: a pid alone may have been given to another program since it was written down."""

import os
import sys
from pathlib import Path

import psutil


def identity(pid: int) -> str | None:
    """What tells this program from any other that ever had the pid, or None when it runs no more."""
    if sys.platform == "linux":
        return _identity_on_linux(pid)
    try:
        program = psutil.Process(pid)
        return None if program.status() == psutil.STATUS_ZOMBIE else f"{program.create_time():.3f}"
    except psutil.Error:
        return None


def _identity_on_linux(pid: int) -> str | None:
    """Boot and clock tick of the start, which no change of the wall clock moves."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    state, started = fields[0], fields[19]
    if state in (b"Z", b"X"):
        return None
    return f"{_boot()}:{started.decode()}"


def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""


def runs(pid: int, known: str) -> bool:
    """Whether the very program that had this identity still runs."""
    return bool(known) and identity(pid) == known


def programs_in(folder: Path, name: str) -> list[int]:
    """The pids of programs called `name` whose working folder is `folder`, as far as we may see them."""
    found = []
    for program in psutil.process_iter():
        try:
            if program.name() == name and program.status() != psutil.STATUS_ZOMBIE and Path(program.cwd()) == folder:
                found.append(program.pid)
        except (psutil.Error, OSError):
            continue
    return [pid for pid in found if pid != os.getpid()]
