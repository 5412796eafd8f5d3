"""Where a conversation goes, in Postgres."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from domain.ids import new_id
from store.pool import Database, Transaction


class Undecided(BaseModel):
    """A conversation with all that its route is decided by. `agent_id` is the agent of its open session, None where none is open."""

    id: str
    account_id: str
    chat: str
    thread: str
    peer: str
    state: str
    last_seq: int
    admission: Literal["open", "ask", "code", "closed"]
    channel: str
    owner_identities: list[str]
    tier: Literal["owner", "admitted", "guest", "blocked"]
    unsent: bool
    agent_id: str | None
    next_session_id: str | None
    wake_at: datetime | None
    bindings: list[Mapping[str, Any]]


async def look(tx: Transaction, conversation: str) -> Undecided | None:
    """A conversation and the facts of its route; None when it is gone."""
    return await tx.row("routing/look", Undecided, conversation=conversation)


async def settle(
    db: Database, tenant: str, conversation: str, agent: str, scope: str | None = None, *, promised_at: datetime | None = None
) -> str | None:
    """SETTLE: gives a conversation to the agent's session of that scope. Returns the session to wake, or None.

    `promised_at` is the conversation's promise as it was seen: it is kept by this, a newer one stays.
    """
    params = {
        "tenant": tenant, "conversation": conversation, "agent": agent, "scope": scope, "new_session": new_id("ses"), "promised_at": promised_at,
    }  # fmt: skip
    session: str | None = (await db.call("routing/settle", dict, params))["session"]
    return session


async def leave_undecided(db: Database, tenant: str, conversation: str, state: str, upto: int, promised_at: datetime | None) -> bool:
    """Writes down that messages up to `upto` stay held or are refused. False when more came since, or another look was promised."""
    params = {"tenant": tenant, "conversation": conversation, "state": state, "upto": upto, "promised_at": promised_at}
    return bool((await db.call("routing/leave_undecided", dict, params))["left_so"])


async def promise_unsettled(tx: Transaction, account: str | None) -> None:
    """After bindings or admission changed: every conversation that waits is looked at again."""
    await tx.run("routing/promise_unsettled", account=account)


async def keep(tx: Transaction, conversation: str, promised_at: datetime | None) -> None:
    """A settled conversation stays where it is: the promise that was seen is kept, a newer one stays."""
    await tx.run("routing/keep", conversation=conversation, promised_at=promised_at)
