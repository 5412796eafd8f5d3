"""Disks that get full: a small one of our own where the machine lets us mount one, and everywhere processes that may not write any more."""

import contextlib
import errno
import os
import resource
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil

from tests.crash.stack import Stoppable

SIZE = "320m"
"""Enough for a fresh start, and filled in a moment."""


class Unwritable(Stoppable):
    """A stack none of whose processes, and none of those they start, may write to a file any more: as on a disk whose quota is used up."""

    def fill(self) -> None:
        """From now on every write fails."""
        self._allow(0)

    def make_room(self) -> None:
        """Lets everybody write again, also who was started meanwhile."""
        self._allow(resource.RLIM_INFINITY)

    def _allow(self, size: int) -> None:
        for process in self.family():
            with contextlib.suppress(psutil.NoSuchProcess, ProcessLookupError):
                try:
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
                except PermissionError:  # root in a container may not, but the process's own account may
                    allow_as(process.uids().real, process.gids().real, process.pid, size)


class SmallDisk(Stoppable):
    """A stack whose data lies on a small disk of its own."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.data.mkdir()
        mount(self.data)

    @property
    def _filler(self) -> Path:
        return self.data / "filler"

    def fill(self) -> None:
        """Leaves no room."""
        with self._filler.open("wb", buffering=0) as filler:
            for size in (1 << 20, 1 << 12):
                with contextlib.suppress(OSError):
                    while filler.write(b"\0" * size) == size:
                        pass

    def make_room(self) -> None:
        """Removes what filled it."""
        self._filler.unlink(missing_ok=True)

    def kill_all(self) -> None:
        """Ends everything, and takes the disk away."""
        super().kill_all()
        if self.data.is_mount():
            subprocess.run(["umount", "--lazy", str(self.data)], check=True)


def allow_as(user: int, group: int, pid: int, size: int) -> None:
    """Sets how far a process may write, as its own account. Raises OSError where that could not be done either."""
    child = os.fork()
    if child == 0:
        done = 1
        with contextlib.suppress(BaseException):
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
            done = 0
        os._exit(done)
    if os.waitpid(child, 0)[1] and psutil.pid_exists(pid):
        raise OSError(errno.EPERM, "cannot set a limit")


def mount(folder: Path) -> None:
    """Puts a small disk in memory at a folder. Raises OSError where we may not."""
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE},mode=0700", "switchboard-test", str(folder)], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise OSError(errno.EPERM, "cannot mount") from error


def kinds() -> Iterator[type[Unwritable | SmallDisk]]:
    """The disks there can be on this machine."""
    yield Unwritable
    if os.geteuid() == 0:
        with tempfile.TemporaryDirectory() as name, contextlib.suppress(OSError):
            mount(Path(name))
            subprocess.run(["umount", name], check=True)
            yield SmallDisk
