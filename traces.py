"""Traces: one message's way, from its arrival to its reply, through every process. Off, and free, until wiring finds somewhere to send them.

A span has a name, a kind and ids; never text, arguments, or an exception's words, which may hold what somebody wrote.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

Kind = Literal["server", "consumer", "internal"]


class Mark(Protocol):
    """A span that is open."""

    def tell(self, **ids: str | int | bool | None) -> None:
        """Adds ids and small words; None adds nothing."""

    def name(self, name: str) -> None:
        """Gives it its name where that is known late."""

    def fail(self, code: str) -> None:
        """Says that it failed, and with which code."""


class Tracer(Protocol):
    """Where spans go."""

    interceptors: Sequence[Any]
    """What Temporal's client is given, so that a workflow's run joins the trace of the poke that started it."""

    def span(self, name: str, kind: Kind, origins: Sequence[str], caller: str) -> AbstractContextManager[Mark]:
        """Opens a span; see `span` below."""

    def here(self) -> str:
        """The open span as a `traceparent`."""


class Nothing:
    """The mark of a span that nobody wants."""

    def tell(self, **ids: str | int | bool | None) -> None:
        """Tells nobody."""

    def name(self, name: str) -> None:
        """Names nothing."""

    def fail(self, code: str) -> None:
        """Fails unseen."""


_NOTHING: AbstractContextManager[Mark] = nullcontext(Nothing())
_tracer: Tracer | None = None
"""One for a process, as its logs are."""


def begin(tracer: Tracer | None) -> None:
    """Sends this process's spans there from now on; None ends it."""
    global _tracer
    _tracer = tracer


def are_on() -> bool:
    """Whether anybody wants them: what only serves a trace is looked up only then."""
    return _tracer is not None


def span(name: str, kind: Kind = "internal", *, origins: Sequence[str] = (), caller: str = "") -> AbstractContextManager[Mark]:
    """A span around a block.

    `origins` are the `traceparent`s of the messages it works for: it belongs to the trace of the first, and is linked to the others and to
    the span that is open. A `caller`'s traceparent, which anybody may send, is only linked.
    """
    return _tracer.span(name, kind, origins, caller) if _tracer else _NOTHING


def here() -> str:
    """The open span as a `traceparent`; empty without one."""
    return _tracer.here() if _tracer else ""


def interceptors() -> list[Any]:
    """What Temporal's client is given."""
    return list(_tracer.interceptors) if _tracer else []
