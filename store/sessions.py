"""Sessions in Postgres: the look, the end of a step, and what members do to a session."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.ids import new_id
from domain.sessions import Sight
from store.pool import Database, Transaction


BATCH = 20
"""The most messages one turn answers; what waits behind them is the next turn's."""


class Ended(BaseModel):
    """What a step's commit came to. `refused`: someone else was first, or the session may not go on; look again."""

    status: Literal["committed", "refused"]
    call_id: str | None
    next: Literal["act", "ask", "more", "wait", "rest"] | None
    due_at: datetime | None
    wake_session: str | None
    sha256: str = ""
    """The hash of a call's arguments, added by whoever ended the step."""


class Place(BaseModel):
    """Which step of which turn, in which conversation, over which batch: what an END has to match."""

    tenant: str
    session: str
    conversation: str
    turn: int
    n: int
    upto: int
    looked_at: datetime


async def look(tx: Transaction, session: str, window: int) -> Sight | None:
    """One snapshot of a session and what it has to see to; None when there is no such session."""
    return await tx.row("sessions/look", Sight, session=session, window=window, batch=BATCH)


async def rest(db: Database, tenant: str, session: str) -> Ended:
    """The promise of a session with nothing due: the earliest later message, or nobody."""
    return await db.call("sessions/rest", Ended, {"tenant": tenant, "session": session})


async def end_with_call(
    db: Database, place: Place, *, tool: str, arguments: Mapping[str, Any], sha256: str, gate: str, ask: Mapping[str, Any], result: str | None = None
) -> Ended:
    """END of a step that wants a tool: the call with its gate verdict and argument hash; the turn stays open."""
    params = place.model_dump() | {
        "call": new_id("cal"), "tool": tool, "arguments": Jsonb(dict(arguments)), "sha256": sha256, "gate": gate, "ask": Jsonb(dict(ask)),
        "result": Jsonb(result) if result is not None else None,
    }  # fmt: skip
    return await db.call("sessions/end_with_call", Ended, params)


async def end_with_say(db: Database, place: Place, replies: Sequence[Mapping[str, Any]], *, commit_delivers: bool, close: bool) -> Ended:
    """END of a step that speaks: the outbound messages, the batch answered, the turn closed, the promise set."""
    params = place.model_dump() | {"replies": Jsonb([dict(r) for r in replies]), "commit_delivers": commit_delivers, "close": close}
    return await db.call("sessions/end_with_say", Ended, params)


async def record_request(tx: Transaction, session: str, **figures: Any) -> None:
    """What one model request cost, also when its answer was not used."""
    await tx.run("sessions/record_request", session=session, **figures)


async def close(db: Database, tenant: str, session: str, reason: str) -> str:
    """CLOSE. Returns `closed` or `not_found`."""
    return str((await db.call("sessions/close", dict, {"tenant": tenant, "session": session, "reason": reason}))["outcome"])


async def suspend(db: Database, tenant: str, session: str, reason: str = "member") -> str:
    """PAUSE. Returns `suspended`, `closed` or `not_found`."""
    return str((await db.call("sessions/suspend", dict, {"tenant": tenant, "session": session, "reason": reason}))["outcome"])


async def resume(db: Database, tenant: str, session: str, context: Mapping[str, Any]) -> str:
    """RESUME, adding to the context. Returns `open`, `closed` or `not_found`."""
    return str((await db.call("sessions/resume", dict, {"tenant": tenant, "session": session, "context": Jsonb(dict(context))}))["outcome"])


async def cancel_turn(db: Database, tenant: str, session: str) -> str:
    """CANCEL-TURN. Returns `cancelled`, `idle`, `closed` or `not_found`."""
    return await _stop_turn(db, tenant, session, "cancelled", None)


async def park_turn(db: Database, tenant: str, session: str, error: str) -> str:
    """Sets a batch aside that cannot be answered, so that the next ones can; a member sees it with the error."""
    return await _stop_turn(db, tenant, session, "parked", error)


async def _stop_turn(db: Database, tenant: str, session: str, state: str, error: str | None) -> str:
    params = {"tenant": tenant, "session": session, "state": state, "error": error}
    return str((await db.call("sessions/stop_turn", dict, params))["outcome"])
