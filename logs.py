"""Logs: structlog, JSON outside a terminal; never message text, arguments or secrets.

An exception's words and a frame's variables may hold any of these, so of an exception only its type and its way through the code are told.
"""

import contextlib
import json
import logging
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

import traces

DEEPEST = 30
"""The innermost frames of an exception that are told."""


def set_up_logs(level: str) -> None:
    """Sets up this process's logs on standard error. Libraries' records go the same way, from WARNING up."""
    terminal = sys.stderr.isatty()
    processors: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace_told,
        _exception_told,
        structlog.dev.ConsoleRenderer() if terminal else structlog.processors.JSONRenderer(),
    ]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, Lenient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(sys.stderr)
    libraries.setFormatter(LibraryRecord())
    logging.basicConfig(level=logging.WARNING, handlers=[libraries], force=True)


def way_through(error: BaseException | None) -> str:
    """An exception and what caused it, innermost last: each one's type and frames."""
    return "\n".join(f"{type(one).__qualname__}: {_frames(one)}" for one in _chain(error))


class Lenient:
    """A file for logs: on a full disk a line is lost, and never the work that would have been logged."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def write(self, text: str) -> None:
        """Writes it, if that is possible."""
        with contextlib.suppress(OSError):
            self._file.write(text)

    def flush(self) -> None:
        """Has it written by now, if that is possible; what was not is tried again with the next line."""
        with contextlib.suppress(OSError):
            self._file.flush()


class LibraryRecord(logging.Formatter):
    """A library's record as one line of JSON: the first line of what it says, which is the part the library wrote itself."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        said = {"level": record.levelname.lower(), "logger": record.name, "event": record.getMessage().partition("\n")[0]}
        if record.exc_info and record.exc_info[1]:
            said["exception"] = way_through(record.exc_info[1])
        return json.dumps(said)


def _trace_told(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The trace that a line belongs to, where traces are on."""
    if here := traces.here():
        event["trace_id"] = here.split("-")[1]
    return event


def _exception_told(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    given = event.pop("exc_info", None)
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    if error:
        event["exception"] = way_through(error)
    return event


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(DEEPEST):
        if error is None:
            return
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-DEEPEST:]
    return " > ".join(f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames)
