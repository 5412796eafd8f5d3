"""Python loads this when it starts, with its folder on the path: an API, a worker or a doctor is told a time that is ahead by what a file says."""

import ctypes
import datetime
import gc
import os
import sys
import time

FILE = "CLOCK_AHEAD"
"""The variable that names the file. What it holds may change at any time."""
_right, _right_ns = time.time, time.time_ns


def _ahead() -> float:
    try:
        with open(os.environ[FILE], encoding="ascii") as file:
            return float(file.read() or 0)
    except OSError:
        return 0.0


def _now(cls: type[datetime.datetime], tz: datetime.tzinfo | None = None) -> datetime.datetime:
    return cls.fromtimestamp(time.time(), tz)


def set_forward() -> None:
    """Has everything in this process that asks for the time be told the wrong one. Spans, which asyncio goes by, are right."""
    time.time = lambda: _right() + _ahead()
    time.time_ns = lambda: _right_ns() + int(_ahead() * 1e9)
    (members,) = gc.get_referents(datetime.datetime.__dict__)  # a built-in type: what it holds can be changed only like this
    members["now"] = classmethod(_now)
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(datetime.datetime))


if FILE in os.environ and {"api", "worker", "doctor"} & set(sys.orig_argv):
    set_forward()
