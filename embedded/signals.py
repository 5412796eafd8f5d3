"""The signals we get, as something that can be waited for."""

import contextlib
import os
import select
import signal
from types import FrameType
from typing import Self

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Signals:
    """While it is entered, signals to stop are counted, and every signal, a child's end too, ends a `wait`."""

    def __init__(self) -> None:
        self.asked = 0
        """How often we were asked to stop."""
        self._reader = self._writer = -1
        under_nohup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        self._numbers = [number for number in STOPS if number != signal.SIGHUP or not under_nohup]

    def __enter__(self) -> Self:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in self._numbers:
            signal.signal(number, self._ask)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return self

    def __exit__(self, *_: object) -> None:
        for number in (*self._numbers, signal.SIGCHLD):
            signal.signal(number, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        os.close(self._reader)
        os.close(self._writer)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked += 1

    def wait(self, seconds: float) -> None:
        """Returns at the next signal, or after so many seconds."""
        select.select([self._reader], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 512):
                pass
