"""Sessions over HTTP: started, read, changed, written to, paused, closed."""

import json
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field

from api.cursors import CursorHere, LimitHere, cursor_of, place_of
from api.deps import Member, PageHere, PartsHere
from api.idempotency import Once
from api.routers import noun, problems
from api.session_views import (
    History,
    ModeList,
    ModeView,
    NewSession,
    Queued,
    Resumed,
    SessionChange,
    SessionList,
    SessionView,
    Told,
    Versions,
    Words,
    etag,
    view,
)  # fmt: skip
from domain.messages import Inbound
from domain.sessions import MODES, Mode, Phase
from parts import Parts
from store import conversations, sessions
from store.conversations import Place

router: APIRouter = noun("/v1", "sessions")


async def place(session_id: str, parts: PartsHere, member: Member) -> Place:
    """Where the session of the path is written to. Raises NotFound, SessionClosed, Conflict."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await conversations.of_session(tx, session_id)


PlaceHere = Annotated[Place, Depends(place)]


@router.get("/modes")
async def list_modes(member: Member) -> ModeList:
    """How agents may work."""
    return ModeList(items=[ModeView(mode=mode, **told) for mode, told in MODES.items()])


@router.get("/sessions")
async def list_sessions(
    parts: PartsHere, member: Member, page: PageHere, phase: Phase | None = None, mode: Mode | None = None,
    agent: Annotated[str | None, Query(max_length=100)] = None,
) -> SessionList:  # fmt: skip
    """Sessions, newest first; `agent` is an agent's id or name."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await sessions.listed(tx, phase=phase, mode=mode, agent=agent, before=page.before, limit=page.limit)
    return SessionList.model_validate(page.of([view(parts, member.tenant_id, row).model_dump() for row in rows]))


@router.post("/sessions", status_code=201)
async def create_session(asked: NewSession, parts: PartsHere, member: Member, response: Response, once: Once) -> SessionView:
    """Starts a session of its own; follow it with GET …/history, or in Temporal at `run_url`."""
    started = await sessions.start(parts.db, member.tenant_id, asked.agent, asked.mode, f"api:{once}", asked.input, member.member_id)
    parts.inbox.wake(member.tenant_id, started.wake, started.session_id)
    parts.notices.tell(member.tenant_id, started.conversation_id or "-")
    return await _seen(parts, member.tenant_id, started.session_id or "", response)


@router.get("/sessions/{session_id}")
async def get_session(session_id: str, parts: PartsHere, member: Member, response: Response) -> SessionView:
    """One session; its version is the ETag."""
    return await _seen(parts, member.tenant_id, session_id, response)


@router.patch("/sessions/{session_id}", responses=problems(409, 412, 428))
async def change_session(
    session_id: str, asked: SessionChange, parts: PartsHere, member: Member, expected: Versions, response: Response
) -> SessionView:  # fmt: skip
    """Replaces context, plan or both, if the version is the one that If-Match names."""
    plan = [item.model_dump() for item in asked.plan] if asked.plan is not None else None
    async with parts.db.transaction(member.tenant_id) as tx:
        await sessions.change(tx, member.member_id, session_id, expected, asked.context, plan)
    parts.notices.tell(member.tenant_id)
    return await _seen(parts, member.tenant_id, session_id, response)


@router.delete("/sessions/{session_id}", status_code=204)
async def remove_session(session_id: str, parts: PartsHere, member: Member) -> Response:
    """Closes it and removes what it holds: texts, calls, approvals, context, plan. That it was, and what was decided, stays in the audit."""
    async with parts.db.transaction(member.tenant_id) as tx:
        asked = await sessions.erase(tx, member.member_id, session_id)
    _wake(parts, member.tenant_id, session_id, asked)
    return Response(status_code=204)


@router.get("/sessions/{session_id}/history")
async def session_history(session_id: str, parts: PartsHere, member: Member, cursor: CursorHere = None, limit: LimitHere = 50) -> History:
    """Messages, calls, steps and approvals in the order they happened."""
    after = place_of(cursor)
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await sessions.history(tx, session_id, after, limit)
    following = cursor_of(rows[-1].at, rows[-1].id) if len(rows) == limit else None
    return History(items=[Told(**row.model_dump(exclude={"more"}), **row.more) for row in rows], next=following)


@router.post("/sessions/{session_id}/messages", status_code=202)
async def send_to_session(said: Words, at: PlaceHere, parts: PartsHere, member: Member, once: Once) -> Queued:
    """Says something to it, in its latest conversation: as its user where it was started over the API, as a note of a member elsewhere."""
    external_id = json.dumps(["api", once])
    inbound = Inbound(
        tenant_id=member.tenant_id, account_id=at.account_id, chat=at.chat, thread=at.thread, sender=member.member_id, sender_name=member.name,
        external_id=external_id, kind="text" if at.channel == "api" else "note", text=said.text, at_once=True,
    )  # fmt: skip
    return Queued.model_validate((await parts.inbox.accept(inbound)).model_dump())


@router.post("/sessions/{session_id}/suspend")
async def suspend_session(session_id: str, parts: PartsHere, member: Member, response: Response) -> SessionView:
    """Pauses it: messages are kept in order, nothing is thought or done until it is resumed."""
    return await _change(parts, member, session_id, "suspend", response)


@router.post("/sessions/{session_id}/resume")
async def resume_session(
    session_id: str, parts: PartsHere, member: Member, response: Response, asked: Annotated[Resumed, Field(default_factory=Resumed)]
) -> SessionView:  # fmt: skip
    """Goes on where it stopped; what is given is added to its context."""
    return await _change(parts, member, session_id, "resume", response, asked)


@router.post("/sessions/{session_id}/close")
async def close_session(session_id: str, parts: PartsHere, member: Member, response: Response) -> SessionView:
    """Ends it: what it asked and had not begun is cancelled. It stays readable; a new message in its conversation starts another."""
    return await _change(parts, member, session_id, "close", response)


@router.post("/sessions/{session_id}/cancel-turn")
async def cancel_turn(session_id: str, parts: PartsHere, member: Member, response: Response) -> SessionView:
    """Stops the turn that is open or being thought about: its messages, open approvals and unstarted calls are cancelled."""
    return await _change(parts, member, session_id, "cancel-turn", response)


async def _change(parts: Parts, member: Member, session: str, verb: sessions.Verb, response: Response, asked: Resumed | None = None) -> SessionView:
    async with parts.db.transaction(member.tenant_id) as tx:
        ended = await sessions.change_life(tx, member.member_id, session, verb, asked.context if asked else None)
    _wake(parts, member.tenant_id, session, ended)
    return await _seen(parts, member.tenant_id, session, response)


def _wake(parts: Parts, tenant: str, session: str, asked: list[str]) -> None:
    """Tells the session, and the clocks of the approvals that may have ended with what was done."""
    parts.inbox.wake(tenant, "session", session)
    for approval in asked:
        parts.pokes.in_background(parts.pokes.decided(tenant, approval))
    parts.notices.tell(tenant)


async def _seen(parts: Parts, tenant: str, session: str, response: Response) -> SessionView:
    async with parts.db.transaction(tenant) as tx:
        row = await sessions.one(tx, session)
    response.headers["etag"] = etag(row.version)
    return view(parts, tenant, row)
