"""Calls in Postgres: started once, finished once."""

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.ids import new_id
from store.approvals import Decision
from store.pool import Database, Transaction


class CallRow(BaseModel):
    """A call as it is stored."""

    id: str
    session_id: str
    conversation_id: str
    turn: int
    n: int
    tool: str
    arguments: Mapping[str, Any]
    arguments_sha256: str
    gate: str
    ask: Mapping[str, Any]
    state: str
    result: Any
    approval_id: str | None


class Begun(BaseModel):
    """What start_call found. `started`: it is ours to carry out; `broken`: an earlier attempt began and did not finish."""

    status: str
    tool: str | None
    arguments: Mapping[str, Any] | None
    conversation_id: str | None
    session_id: str | None
    result: Any


async def one(tx: Transaction, call: str) -> CallRow | None:
    """A call by its id."""
    return await tx.row("calls/one", CallRow, call=call)


async def start(source: Database | Transaction, tenant: str, call: str, by: str, sha256: str) -> Begun:
    """CAS ready or approved → started, if the session is live and the arguments are those that were judged.

    Each call of this is an attempt of its own: one whose answer was lost on the way is repeated within it and still is the one that began.
    """
    params = {"call": call, "by": f"{by} {secrets.token_hex(8)}", "sha256": sha256}
    if isinstance(source, Transaction):
        found = await source.row("calls/start", Begun, **params)
        assert found
        return found
    return await source.call("calls/start", Begun, {"tenant": tenant, **params})


async def finish(source: Database | Transaction, tenant: str, call: str, result: Any, *, failed: bool) -> Decision:
    """CAS started → done or failed; in a transaction it becomes true together with the tool's own writes."""
    params = {"call": call, "result": Jsonb(result), "failed": failed, "message": new_id("msg")}
    if isinstance(source, Transaction):
        found = await source.row("calls/finish", Decision, **params)
        assert found
        return found
    return await source.call("calls/finish", Decision, {"tenant": tenant, **params})


async def wanted(tx: Transaction, call: str) -> bool:
    """Whether a call that runs should go on: false once its turn was cancelled or its session closed."""
    return await tx.row("calls/wanted", dict, call=call) is not None


async def stop(tx: Transaction, call: str, why: str) -> None:
    """CAS started → cancelled: it was stopped while it ran."""
    await tx.run("calls/stop", call=call, result=Jsonb(why))


async def mark_unknown(tx: Transaction, call: str) -> bool:
    """CAS started → unknown: nobody can say whether it was done. False when it is settled already."""
    return bool(await tx.count("calls/mark_unknown", call=call))


class Writes:
    """What a tool may change in Switchboard itself, within the transaction that also marks its call done."""

    def __init__(self, tx: Transaction, *, session: str, conversation: str, call: str) -> None:
        self._tx, self._session, self._conversation, self._call = tx, session, conversation, call

    async def remember(self, key: str, value: Any) -> None:
        """Sets one variable of the session's context."""
        await self._tx.run("sessions/remember", session=self._session, key=key, value=Jsonb(value))

    async def set_plan(self, items: list[str]) -> None:
        """Replaces the session's plan; nothing of it is done yet."""
        await self._tx.run("sessions/set_plan", session=self._session, plan=Jsonb([{"text": item, "done": False} for item in items]))

    async def check_plan(self, index: int) -> None:
        """Marks an item of the plan as done; an index that does not exist changes nothing."""
        await self._tx.run("sessions/check_plan", session=self._session, index=index)

    async def follow_up(self, at: datetime, note: str) -> None:
        """Has the session woken at a time, with a note to itself."""
        key = f"timer:{self._call}"
        await self._tx.run("sessions/follow_up", conversation=self._conversation, message=new_id("msg"), external_id=key, note=note, due_at=at)

    async def refund(self, amount: float, to: str) -> None:
        """Pays a demo refund: a row in demo_refunds, so that paying twice would be seen."""
        await self._tx.run("calls/refund", call=self._call, amount=amount, to=to)
