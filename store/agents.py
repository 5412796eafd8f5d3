"""Agents in Postgres: persona, backend, model, tools and mode."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.approvals import ToolUse
from domain.errors import NotFound
from domain.ids import new_id
from domain.sessions import Mode
from store import audit
from store.pool import Transaction


class AgentRow(BaseModel):
    """An agent as it is stored; `version` grows with every change."""

    id: str
    name: str
    persona: str
    backend: str
    model: str
    mode: Mode
    language: str
    tools: list[ToolUse]
    version: int
    created_at: datetime


async def create(tx: Transaction, actor: str, given: Mapping[str, Any]) -> AgentRow:
    """A new agent. Raises Conflict where the name is taken."""
    row = await tx.row("agents/create", AgentRow, **_stored(given) | {"agent": new_id("agt")})
    assert row
    await audit.add(tx, actor, "agent.created", row.id)
    return row


async def change(tx: Transaction, actor: str, agent: str, given: Mapping[str, Any]) -> AgentRow:
    """Changes what is given and not None, and counts the version up. Raises NotFound, Conflict."""
    row = await tx.row("agents/change", AgentRow, **_stored(given) | {"agent": agent})
    if row is None:
        raise NotFound
    await audit.add(tx, actor, "agent.changed", agent, changed=sorted(name for name, value in given.items() if value is not None))
    return row


async def one(tx: Transaction, agent: str) -> AgentRow | None:
    """An agent by id."""
    return await tx.row("agents/one", AgentRow, agent=agent)


async def named(tx: Transaction, name: str) -> AgentRow | None:
    """An agent by id or name."""
    return await tx.row("agents/named", AgentRow, name=name)


async def listed(tx: Transaction, *, before: str | None, limit: int) -> list[AgentRow]:
    """Agents, newest first."""
    return await tx.rows("agents/list", AgentRow, before=before, limit=limit)


def _stored(given: Mapping[str, Any]) -> dict[str, Any]:
    return {**given, "tools": Jsonb(given["tools"]) if given["tools"] is not None else None}
