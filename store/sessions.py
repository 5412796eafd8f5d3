"""Sessions in Postgres: the look, the end of a step, and what members do to a session."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import Invalid, NotFound, PreconditionFailed, SessionClosed
from domain.ids import new_id
from domain.sessions import Mode, Phase, Sight
from store import audit
from store.pool import Database, Transaction

BATCH = 20
"""The most messages one turn answers; what waits behind them is the next turn's."""


class Ended(BaseModel):
    """What a step's commit came to. `refused`: someone else was first, or the session may not go on; look again."""

    status: Literal["committed", "refused"]
    call_id: str | None
    next: Literal["act", "ask", "more", "wait", "rest"] | None
    due_at: datetime | None
    due_after: float | None = None
    """Seconds until `due_at`, by the clock of the store."""
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


async def unchanged(tx: Transaction, session: str, turn: int, step: int) -> bool:
    """Whether a session is open and still where it was at a look."""
    return await tx.row("sessions/unchanged", dict, session=session, turn=turn, step=step) is not None


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


class SessionRow(BaseModel):
    """A session as members see it: `phase` is derived from its life, its turn, what is due and what is asked."""

    id: str
    agent: str
    agent_id: str
    mode: Mode
    phase: Phase
    phase_reason: Literal["member", "failed", "completed", "expired"] | None
    context: Mapping[str, Any]
    plan: list[Mapping[str, Any]]
    plan_approved: bool
    version: int
    turn: int
    conversation_id: str | None
    created_at: datetime
    last_used_at: datetime
    closed_at: datetime | None


class Started(BaseModel):
    """A session that was started, with its conversation; `wake` says whose workflow has to look at its first message."""

    session_id: str | None
    conversation_id: str | None
    message_id: str | None
    seq: int | None
    wake: str | None


class Told(BaseModel):
    """One thing in a session's history: a message, a call, the end of a turn, or an approval, with what there is to say of it in `more`."""

    at: datetime
    id: str
    kind: Literal["message", "call", "step", "approval"]
    turn: int | None
    n: int | None
    more: Mapping[str, Any]


Verb = Literal["suspend", "resume", "close", "cancel-turn"]


async def start(db: Database, tenant: str, agent: str, mode: str | None, scope: str, first: str | None, member: str) -> Started:
    """A session of its own, with a first message where one is given; the same scope is the same session while it is open. Raises Invalid."""
    params = {
        "tenant": tenant, "agent": agent, "mode": mode, "scope": scope, "input": first, "member": member, "account": new_id("acc"),
        "session": new_id("ses"), "conversation": new_id("con"), "message": new_id("msg"),
    }  # fmt: skip
    started = await db.call("sessions/start", Started, params)
    if started.session_id is None:
        raise Invalid("There is no such agent.", field="agent")
    return started


async def one(tx: Transaction, session: str) -> SessionRow:
    """A session by id. Raises NotFound."""
    row = await tx.row("sessions/one", SessionRow, session=session)
    if row is None:
        raise NotFound
    return row


async def listed(tx: Transaction, *, phase: str | None, mode: str | None, agent: str | None, before: str | None, limit: int) -> list[SessionRow]:
    """Sessions, newest first."""
    return await tx.rows("sessions/list", SessionRow, phase=phase, mode=mode, agent=agent, before=before, limit=limit)


async def history(tx: Transaction, session: str, after: tuple[datetime, str] | None, limit: int) -> list[Told]:
    """What happened in a session, oldest first, after a time and id. Raises NotFound."""
    await one(tx, session)
    at, id_ = after or (None, None)
    return await tx.rows("sessions/history", Told, session=session, after_at=at, after_id=id_, limit=limit)


async def change(
    tx: Transaction, actor: str, session: str, versions: frozenset[int] | None, context: Mapping[str, Any] | None, plan: list[dict[str, Any]] | None
) -> SessionRow:
    """Replaces context and plan where given, if the version is one of these (None: any). Raises NotFound, SessionClosed, PreconditionFailed."""
    found = await tx.row("sessions/lock", dict, session=session)
    if found is None:
        raise NotFound
    if versions is not None and found["version"] not in versions:
        raise PreconditionFailed(version=found["version"])
    if found["life"] == "closed":
        raise SessionClosed
    stored = {"context": Jsonb(context) if context is not None else None, "plan": Jsonb(plan) if plan is not None else None}
    await tx.run("sessions/change", session=session, **stored)
    await audit.add(tx, actor, "session.changed", session, changed=sorted(name for name, value in stored.items() if value is not None))
    return await one(tx, session)


async def change_life(tx: Transaction, actor: str, session: str, verb: Verb, context: Mapping[str, Any] | None = None) -> list[str]:
    """PAUSE, RESUME (adding to the context), CLOSE or CANCEL-TURN by a member. Returns the approvals that may have ended so.

    Raises NotFound, SessionClosed.
    """
    asked = await tx.rows("sessions/asking", dict, session=session)
    match verb:
        case "suspend":
            found = await tx.row("sessions/suspend", dict, session=session, reason="member")
        case "resume":
            found = await tx.row("sessions/resume", dict, session=session, context=Jsonb(dict(context or {})))
        case "close":
            found = await tx.row("sessions/close", dict, session=session, reason="member")
        case "cancel-turn":
            found = await tx.row("sessions/stop_turn", dict, session=session, state="cancelled", error=None)
    outcome = found["outcome"] if found else "not_found"
    if outcome == "not_found":
        raise NotFound
    if outcome == "closed" and verb != "close":
        raise SessionClosed
    await audit.add(tx, actor, f"session.{verb}", session)
    return [row["id"] for row in asked]


async def erase(tx: Transaction, actor: str, session: str) -> list[str]:
    """Closes a session and removes what it holds. Returns the approvals that ended so. Raises NotFound."""
    found = await tx.row("sessions/erase", dict, session=session, member=actor)
    if found is None or found["asked"] is None:
        raise NotFound
    return list(found["asked"])
