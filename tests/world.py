"""A tenant to test with, and what a test does in it: write, wait for answers, decide, look."""

import asyncio
import itertools
import json
import time
import tomllib
from pathlib import Path
from typing import Any

import httpx
import psycopg

from domain.ids import new_id
from domain.messages import Accepted, Inbound
from parts import Parts
from store import members
from store.apply import Spec, apply

PATIENCE = 45.0
"""Seconds a test waits for something that normally takes milliseconds; only a failure ever waits so long."""
_numbers = itertools.count(1)


class World:
    """One tenant. `account` is its open web chat, `token` an admin's API key, `owner` the identities of its owner."""

    def __init__(self, sql: psycopg.Connection[Any], parts: Parts, tenant: str, token: str, member: members.MemberRow, ids: dict[str, str]) -> None:
        self.sql, self.parts, self.tenant, self.token, self.member = sql, parts, tenant, token, member
        self.account, self.agent = ids["account"], ids["agent"]
        self.api_url = ""
        self._client: httpx.AsyncClient | None = None

    @property
    def owner(self) -> list[str]:
        """What approvals may name the owner by."""
        return [name for name in (self.member.id, self.member.person_id, self.member.tier, self.member.role) if name]

    @property
    def api(self) -> httpx.AsyncClient:
        """An HTTP client with the admin's key."""
        if self._client is None:
            self._client = httpx.AsyncClient(base_url=self.api_url, headers={"authorization": f"Bearer {self.token}"}, timeout=PATIENCE)
        return self._client

    async def close(self) -> None:
        """Closes the HTTP client."""
        if self._client:
            await self._client.aclose()

    def inbound(self, text: str, *, chat: str = "visitor", id_: str | None = None, account: str | None = None) -> Inbound:
        """A message as the web chat's adapter makes it."""
        key = json.dumps(["message", chat, id_ or f"t{next(_numbers)}"])
        return Inbound(tenant_id=self.tenant, account_id=account or self.account, chat=chat, sender=chat, external_id=key, text=text)

    async def write(self, text: str, *, chat: str = "visitor", id_: str | None = None) -> Accepted:
        """Someone writes."""
        return await self.parts.inbox.accept(self.inbound(text, chat=chat, id_=id_))

    async def answer(self, message: Accepted | str) -> str:
        """The text that answers a message, once it is there."""
        id_ = message if isinstance(message, str) else message.message_id
        row = await self.until(
            "select o.text from messages m join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by"
            " where m.tenant_id = %s and m.id = %s and o.state in ('sent', 'delivered', 'read')",
            id_,
        )
        return str(row["text"])

    async def say(self, text: str, *, chat: str = "visitor") -> str:
        """Someone writes, and this is the answer."""
        return await self.answer(await self.write(text, chat=chat))

    async def until(self, query: str, *params: Any, patience: float = PATIENCE) -> dict[str, Any]:
        """The first row of a query, as soon as it has one. The tenant is its first parameter."""
        ends = time.monotonic() + patience
        while time.monotonic() < ends:
            if row := self.sql.execute(query, (self.tenant, *params)).fetchone():
                return dict(row)
            await asyncio.sleep(0.02)
        raise AssertionError(f"never came true within {patience} s: {query} {params}\n{self.story()}")

    def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        """All rows of a query. The tenant is its first parameter."""
        return [dict(row) for row in self.sql.execute(query, (self.tenant, *params)).fetchall()]

    def story(self) -> str:
        """What was written, for a failure's message."""
        query = "select conversation_id, seq, direction, kind, state, text, due_at from messages where tenant_id = %s order by conversation_id, seq"
        return "\n".join(
            f"{r['conversation_id'][-6:]} {r['seq']:>3} {r['direction']:<8} {r['kind']:<7} {r['state']:<9} {r['text'][:80]}" for r in self.rows(query)
        )

    async def pending_approval(self) -> dict[str, Any]:
        """The newest approval that waits."""
        return await self.until("select * from approvals where tenant_id = %s and state = 'pending' order by id desc limit 1")


async def make_world(sql: psycopg.Connection[Any], parts: Parts, file: Path = Path("demo.toml")) -> World:
    """A new tenant after the demo's file."""
    tenant = new_id("ten")
    sql.execute("insert into tenants (tenant_id, name) values (%s, %s)", (tenant, tenant.replace("_", "-")))
    spec = Spec.model_validate(tomllib.loads((Path(__file__).parent.parent / file).read_text("utf-8")) | {"tenant": "t"})
    async with parts.db.transaction(tenant) as tx:
        await apply(tx, spec, overwrite=True)
        member = await tx.row("members/by_name", members.MemberRow, name="admin")
        assert member
        _, token = await members.create_key(tx, name="admin", role=member.role, member=member.id, scopes=[], expires_at=None)
    account = sql.execute("select id from accounts where tenant_id = %s and name = 'web'", (tenant,)).fetchone()
    agent = sql.execute("select id from agents where tenant_id = %s and name = 'demo'", (tenant,)).fetchone()
    return World(sql, parts, tenant, token, member, {"account": account["id"], "agent": agent["id"]})
