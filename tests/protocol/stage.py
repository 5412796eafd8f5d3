"""A tenant without workers: every step of the protocol is taken by the test, one commit at a time or several at once."""

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Awaitable
from datetime import datetime
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from domain.approvals import arguments_sha256
from domain.ids import new_id
from domain.messages import Accepted, Inbound
from domain.sessions import Sight
from store import approvals, calls, messages, routing, sessions
from store.approvals import Decision
from store.pool import Database, statement
from store.sessions import Ended, Place

T = TypeVar("T")
SOON = 60.0
SHA = arguments_sha256({"amount": 5})
_numbers = itertools.count(1)


class Stage:
    """One tenant: agents `one` and `two`, and an account that is open to all."""

    def __init__(self, owner: psycopg.Connection[dict[str, Any]], db: Database, tenant: str, account: str, agents: tuple[str, str]) -> None:
        self.owner, self.db, self.tenant, self.account = owner, db, tenant, account
        self.one, self.two = agents

    def inbound(self, chat: str = "c", text: str = "hello", id_: str | None = None, account: str | None = None) -> Inbound:
        key = json.dumps(["message", chat, id_ or f"p{next(_numbers)}"])
        return Inbound(tenant_id=self.tenant, account_id=account or self.account, chat=chat, sender=chat, external_id=key, text=text)

    async def write(self, chat: str = "c", text: str = "hello", id_: str | None = None) -> Accepted:
        """ACCEPT."""
        return await messages.accept(self.db, self.inbound(chat, text, id_))

    async def settled(self, chat: str = "c", agent: str | None = None, scope: str | None = None) -> tuple[str, str]:
        """A conversation with one pending message, settled: (conversation, session)."""
        accepted = await self.write(chat)
        session = await self.settle(accepted.conversation_id, agent or self.one, scope)
        assert session
        return accepted.conversation_id, session

    async def settle(self, conversation: str, agent: str, scope: str | None = None) -> str | None:
        """SETTLE after a look."""
        seen = self.row("conversations", conversation)["wake_at"]
        return await routing.settle(self.db, self.tenant, conversation, agent, scope, promised_at=seen)

    async def look(self, session: str) -> Sight:
        async with self.db.transaction(self.tenant) as tx:
            sight = await sessions.look(tx, session, 100)
        assert sight
        return sight

    async def place(self, session: str) -> Place:
        """What an END that follows from a look at this moment has to match."""
        return place_of(self.tenant, session, await self.look(session))

    async def say(self, session: str, place: Place | None = None, *, close: bool = False, sent: bool = True) -> Ended:
        """END of a step that speaks."""
        replies = [{"id": new_id("msg"), "text": "said", "answers": []}]
        return await sessions.end_with_say(self.db, place or await self.place(session), replies, commit_delivers=sent, close=close)

    async def call(self, session: str, gate: str = "run", tool: str = "plain", place: Place | None = None) -> str:
        """END of a step that wants a tool. Returns the call's id."""
        ended = await sessions.end_with_call(
            self.db, place or await self.place(session), tool=tool, arguments={"amount": 5}, sha256=SHA, gate=gate, ask={}
        )
        assert ended.status == "committed"
        assert ended.call_id
        return ended.call_id

    async def ask(self, call: str, purpose: str = "gate", *, within: float = 60, on_timeout: str = "deny") -> str | None:
        """Opens an approval that member `boss` or `aide` decides."""
        return await approvals.open_for_call(
            self.db, self.tenant, call, purpose, kind="approve", action="plain", requester="agent", approvers={"of": ["boss", "aide"], "quorum": 1},
            allow_self=False, options=None, within=within, on_timeout=on_timeout,
        )  # fmt: skip

    async def asked(self, chat: str = "c", *, within: float = 60) -> tuple[str, str, str, str]:
        """A settled conversation whose call waits for its approval, the turn over: (conversation, session, call, approval)."""
        conversation, session = await self.settled(chat)
        call = await self.call(session, "ask")
        approval = await self.ask(call, within=within)
        assert approval
        assert (await self.say(session)).status == "committed"
        return conversation, session, call, approval

    async def decide(self, approval: str, verdict: str = "approved", member: str = "boss", answer: object = None) -> Decision:
        return await approvals.decide(
            self.db, self.tenant, approval, member=member, identities=[member], verdict=verdict, comment="", answer=answer, sha256=None, via="test"
        )

    async def start(self, call: str, by: str = "a1", sha256: str = SHA) -> str:
        return (await calls.start(self.db, self.tenant, call, by, sha256)).status

    async def finish(self, call: str, result: object = "ok", *, failed: bool = False) -> Decision:
        return await calls.finish(self.db, self.tenant, call, result, failed=failed)

    async def mark_unknown(self, call: str) -> bool:
        async with self.db.transaction(self.tenant) as tx:
            return await calls.mark_unknown(tx, call)

    def row(self, table: str, id_: str) -> dict[str, Any]:
        """A row by its id."""
        found = self.owner.execute(f"select * from {table} where tenant_id = %s and id = %s".encode(), (self.tenant, id_)).fetchone()
        assert found, f"no {table} {id_}"
        return found

    def rows(self, query: str, *params: object) -> list[dict[str, Any]]:
        """All rows of a query; the tenant is its first parameter."""
        return self.owner.execute(query.encode(), (self.tenant, *params)).fetchall()

    def states(self, conversation: str, direction: str = "inbound") -> list[str]:
        """The states of a conversation's messages, in order."""
        query = "select state from messages where tenant_id = %s and conversation_id = %s and direction = %s order by seq"
        return [row["state"] for row in self.rows(query, conversation, direction)]

    @contextlib.asynccontextmanager
    async def other(self) -> AsyncIterator["Other"]:
        """Somebody else's transaction, open until it is committed here."""
        async with await AsyncConnection.connect(self.db.url, row_factory=psycopg.rows.dict_row) as connection:
            await connection.execute("select set_config('app.tenant_id', %s, false)", (self.tenant,))
            await connection.commit()
            yield Other(connection, self.tenant)
            await connection.rollback()

    async def passed(self, at: datetime) -> None:
        """Returns when Postgres's clock is past a time."""
        while not self.rows("select 1 from tenants where tenant_id = %s and clock_timestamp() > %s", at):
            await asyncio.sleep(0.01)

    async def waiting(self, task: "asyncio.Future[Any]", others: int = 0) -> None:
        """Returns when one more than `others` transactions wait for a lock; the task is the one that has to."""
        query = """
            select count(distinct l.pid) as n from pg_locks l join pg_stat_activity a using (pid)
             where not l.granted and a.datname = current_database()"""
        async with asyncio.timeout(SOON):
            while (self.owner.execute(query).fetchone() or {"n": 0})["n"] <= others:
                assert not task.done(), f"it did not have to wait: {task}"
                await asyncio.sleep(0.005)


class Other:
    """One open transaction of another process."""

    def __init__(self, connection: AsyncConnection[dict[str, Any]], tenant: str) -> None:
        self.connection, self.tenant = connection, tenant

    async def run(self, name: str, **params: Any) -> dict[str, Any]:
        """Runs a statement of the store without committing it."""
        cursor = await self.connection.execute(statement(name).encode(), {"tenant": self.tenant, **params})
        return await cursor.fetchone() or {}

    async def lock(self, table: str, id_: str) -> None:
        """Takes a row's strongest lock, which also stops whoever only refers to it: the order has to be right even against that."""
        await self.connection.execute(f"select from {table} where tenant_id = %s and id = %s for update".encode(), (self.tenant, id_))

    async def say(self, place: Place, *, close: bool = False) -> dict[str, Any]:
        replies = Jsonb([{"id": new_id("msg"), "text": "said", "answers": []}])
        return await self.run("sessions/end_with_say", **place.model_dump(exclude={"tenant"}), replies=replies, commit_delivers=True, close=close)

    async def accept(self, inbound: Inbound) -> dict[str, Any]:
        given = inbound.model_dump(exclude={"tenant_id", "account_id", "payload"})
        return await self.run(
            "messages/accept", **given, account=inbound.account_id, payload=Jsonb({}), conversation=new_id("con"), message=new_id("msg"),
            traceparent="",
        )  # fmt: skip

    async def settle(self, conversation: str, agent: str, scope: str | None = None) -> dict[str, Any]:
        look = "select wake_at from conversations where tenant_id = %s and id = %s"
        seen = await (await self.connection.execute(look.encode(), (self.tenant, conversation))).fetchone()
        params = {"conversation": conversation, "agent": agent, "scope": scope, "new_session": new_id("ses")}
        return await self.run("routing/settle", **params, promised_at=seen["wake_at"] if seen else None)

    async def decide(self, approval: str, verdict: str = "approved", member: str = "aide", answer: object = None) -> dict[str, Any]:
        return await self.run(
            "approvals/decide", approval=approval, member=member, identities=[member], verdict=verdict, comment="",
            answer=Jsonb(answer) if answer is not None else None, sha256=None, via="test", message=new_id("msg"), traceparent="",
        )  # fmt: skip

    async def commit(self) -> None:
        await self.connection.commit()


def place_of(tenant: str, session: str, sight: Sight) -> Place:
    """What an END has to match after a look."""
    assert sight.conversation_id
    assert sight.upto is not None
    return Place(
        tenant=tenant, session=session, conversation=sight.conversation_id, turn=sight.next_turn, n=sight.next_step, upto=sight.upto,
        looked_at=sight.looked_at,
    )  # fmt: skip


def make_stage(owner: psycopg.Connection[dict[str, Any]], db: Database) -> Stage:
    """A new tenant."""
    tenant, account, agents = new_id("ten"), new_id("acc"), (new_id("agt"), new_id("agt"))
    owner.execute("insert into tenants (tenant_id, name) values (%s, %s)", (tenant, tenant.replace("_", "-")))
    for agent, name in zip(agents, ("one", "two"), strict=True):
        owner.execute("insert into agents (tenant_id, id, name, backend) values (%s, %s, %s, 'model')", (tenant, agent, name))
    query = "insert into accounts (tenant_id, id, channel, name, state, admission) values (%s, %s, 'webchat', 'web', 'connected', 'open')"
    owner.execute(query, (tenant, account))
    return Stage(owner, db, tenant, account, agents)


def begun(work: Awaitable[T]) -> "asyncio.Task[T]":
    """Starts something that will have to wait."""

    async def run() -> T:
        return await asyncio.wait_for(work, SOON)

    return asyncio.create_task(run())
