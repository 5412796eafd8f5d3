"""Bindings in Postgres: address pattern → agent. A change has everything looked at again that it may route elsewhere, in the same commit."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb
from pydantic import BaseModel

from domain.errors import Invalid, NotFound
from domain.ids import new_id
from store import accounts, agents, audit
from store.pool import Transaction


class BindingRow(BaseModel):
    """A binding with the names of what it connects; no account means every account."""

    id: str
    account_id: str | None
    account: str | None
    chat: str
    thread: str
    agent_id: str
    agent: str
    created_at: datetime


async def create(tx: Transaction, actor: str, *, account: str | None, chat: str, thread: str, agent: str) -> BindingRow:
    """A new binding; account and agent by id or name. Raises Invalid for unknown ones, Conflict where the pattern is bound already."""
    binding, account_id, agent_id = new_id("bnd"), await _account(tx, account), await _agent(tx, agent)
    await tx.row("bindings/create", dict, binding=binding, account=account_id, chat=chat, thread=thread, agent=agent_id)
    await audit.add(tx, actor, "binding.created", binding)
    row = await _one(tx, binding)
    await _look_again(tx, _place(row, gone=False))
    return row


async def change(
    tx: Transaction, actor: str, binding: str, *, account: str | None, any_account: bool, chat: str | None, thread: str | None, agent: str | None
) -> BindingRow:
    """Changes what is given; `any_account` binds every account. Raises NotFound, Invalid for an unknown account or agent, Conflict."""
    before = await _one(tx, binding)
    account_id = await _account(tx, account) if account else None
    agent_id = await _agent(tx, agent) if agent else None
    await tx.row("bindings/change", dict, binding=binding, account=account_id, any_account=any_account, chat=chat, thread=thread, agent=agent_id)
    await audit.add(tx, actor, "binding.changed", binding)
    after = await _one(tx, binding)
    await _look_again(tx, _place(before, gone=True), _place(after, gone=False))
    return after


async def remove(tx: Transaction, actor: str, binding: str) -> None:
    """Removes a binding. Raises NotFound."""
    before = await _one(tx, binding)
    await tx.run("bindings/remove", binding=binding)
    await audit.add(tx, actor, "binding.removed", binding)
    await _look_again(tx, _place(before, gone=True))


async def listed(tx: Transaction, *, account: str | None, agent: str | None, before: str | None, limit: int) -> list[BindingRow]:
    """Bindings, newest first."""
    return await tx.rows("bindings/list", BindingRow, account=account, agent=agent, before=before, limit=limit)


async def _one(tx: Transaction, binding: str) -> BindingRow:
    row = await tx.row("bindings/one", BindingRow, binding=binding)
    if row is None:
        raise NotFound
    return row


async def _look_again(tx: Transaction, *places: Mapping[str, Any]) -> None:
    """Promises a look at what waits, and at settled conversations: those its agent has where a binding is gone, else those its agent does not
    have yet. One statement for all places, since it locks conversations in the order of their ids."""
    await tx.run("bindings/promise_looks", places=Jsonb(places))


def _place(binding: BindingRow, *, gone: bool) -> Mapping[str, Any]:
    return {
        "account": binding.account_id, "chat": _like(binding.chat), "thread": _like(binding.thread), "agent": binding.agent_id, "served": gone,
    }  # fmt: skip


async def _account(tx: Transaction, name: str | None) -> str | None:
    if name is None:
        return None
    found = await accounts.named(tx, name)
    if found is None:
        raise Invalid("There is no such account.", field="account")
    return found.id


async def _agent(tx: Transaction, name: str) -> str:
    found = await agents.named(tx, name)
    if found is None:
        raise Invalid("There is no such agent.", field="agent")
    return found.id


def _like(pattern: str) -> str:
    """An address pattern as a LIKE pattern that matches at least what it matches: a class of characters is any character."""
    classes = re.sub(r"\[!?\]?[^\]]*\]", "?", pattern)
    return re.sub(r"([\\%_])", r"\\\1", classes).replace("*", "%").replace("?", "_")
