"""A storm: people write, repeat and give up, members pause, cancel, close and reroute, approvers and clocks decide, runs are killed."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from cryptography.fernet import Fernet

from activities.approvals import Approvals
from activities.calls import Calls
from activities.messages import Messages
from activities.routing import Routing
from activities.sessions import Limits, Sessions
from activities.sweep import Sweep
from agents.tools.follow_up import FollowUp
from agents.tools.refund import Refund
from channels.webchat import WebChat
from domain.ids import new_id
from domain.messages import Accepted, Inbound
from store import approvals, bindings, messages, sessions
from store.notices import Notices
from store.pool import Database
from store.seal import Seal
from tests.protocol.crew import Dice, Effects, Wire, outside_tools
from tests.protocol.laws import broken, waits
from tests.protocol.runs import Activities, Runs
from tests.protocol.stage import Stage

TOOLS = """[{"name": "plain"}, {"name": "keyed"}, {"name": "asked"}, {"name": "denied"}, {"name": "failing"}, {"name": "follow_up"},
            {"name": "refund", "rules": [{"gate": "run"}]}]"""
CHATS = ("a", "b", "c", "d", "wire-e", "wire-f")


class Silence(Notices):
    """Hints that nobody listens to."""

    def tell(self, tenant: str, conversation: str = "-") -> None:
        """Nothing."""


@dataclass
class Written:
    """A message that was accepted, and when: between these two moments."""

    accepted: Accepted
    began: float
    ended: float


@dataclass
class Storm:
    """One tenant under stress; `seed` is where all dice begin."""

    stage: Stage
    seed: int
    written: list[Written] = field(default_factory=list)
    verdicts: dict[str, list[str]] = field(default_factory=dict)
    found: set[str] = field(default_factory=set)
    cancels: int = 0

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)
        self.effects, self.runs, self.over = Effects(), Runs(self.dice), asyncio.Event()
        self.db: Database = self.stage.db
        self.accounts = self._prepare()
        self._sweep = Sweep(self.db, self.runs, 0.1, 1e9)
        self._begin()

    def _prepare(self) -> dict[str, str]:
        stage, wire = self.stage, new_id("acc")
        stage.owner.execute("update agents set backend = 'dice', tools = %s where tenant_id = %s", (TOOLS, stage.tenant))
        stage.owner.execute("update accounts set debounce = 0.02 where tenant_id = %s", (stage.tenant,))
        query = "insert into accounts (tenant_id, id, channel, name, state, admission) values (%s, %s, 'wire', 'wire', 'connected', 'open')"
        stage.owner.execute(query, (stage.tenant, wire))
        self.binding = new_id("bnd")
        stage.owner.execute("insert into bindings (tenant_id, id, agent_id) values (%s, %s, %s)", (stage.tenant, self.binding, stage.one))
        return {chat: wire if chat.startswith("wire") else stage.account for chat in CHATS}

    def _begin(self) -> None:
        hints, runs = Silence(""), self.runs
        tools: dict[str, Any] = {**outside_tools(self.effects, self.dice), "refund": Refund(), "follow_up": FollowUp()}
        channels = {"webchat": WebChat(), "wire": Wire(self.effects, self.dice)}
        limits = Limits(linger=1, looks_before_continue=0, turn_steps=6, window=10, think_timeout=30, think_attempts=5)
        runs.begin(
            Activities(
                Sessions(self.db, hints, runs, {"dice": Dice(self.dice)}, tools, channels, limits),
                Calls(self.db, hints, runs, tools),
                Approvals(self.db, runs, runs, hints, 0.8),
                Routing(self.db, runs, hints),
                Messages(self.db, hints, Seal([Fernet.generate_key().decode()]), channels),
            )
        )

    async def rage(self, seconds: float) -> None:
        """Everyone does what they do, for so long; what anybody trips over is raised."""
        actors = [self._write] * 4 + [self._decide] * 2 + [self._pause, self._cancel, self._close, self._reroute, self._speak]
        lasting = [self._sweeping, self._hasten, self._watch]
        tasks = [asyncio.create_task(self._until_over(actor)) for actor in [*actors, *lasting]]
        try:
            await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            self.over.set()
            await asyncio.wait(tasks, timeout=60)
        for task in tasks:
            task.result()

    async def calm_down(self, patience: float) -> None:
        """Kills and losses end, paused sessions are resumed, and what is left is worked off."""
        self.runs.calm()
        self.over.clear()
        for row in self.stage.rows("select id from sessions where tenant_id = %s and life = 'suspended'"):
            await sessions.resume(self.db, self.stage.tenant, row["id"], {})
        lasting = [self._sweeping, self._hasten, self._watch, self._decide]
        tasks = [asyncio.create_task(self._until_over(actor)) for actor in lasting]
        ends = time.monotonic() + patience
        while (waits(self.stage) or self.runs.live) and time.monotonic() < ends and not any(task.done() for task in tasks):
            await asyncio.sleep(0.1)
        self.over.set()
        await asyncio.gather(*tasks)
        await self.runs.settled()

    def report(self) -> str:
        """What happened, and the seed to have the dice fall like this again."""
        query = "select state, count(*) as n from {} where tenant_id = %s group by 1 order by 2 desc"
        states = {table: {row["state"]: row["n"] for row in self.stage.rows(query.format(table))} for table in ("messages", "calls", "approvals")}
        sessions_ = self.stage.rows("select count(*) as n, sum(turn) as turns from sessions where tenant_id = %s")[0]
        parts = [f"seed {self.seed}: {len(self.written)} accepted", f"{sessions_['n']} sessions with {sessions_['turns']} turns"]
        parts += [f"{self.runs.kills} kills, {self.runs.zombies} zombies, {self.runs.losses} lost pokes"]
        return "; ".join([*parts, *(f"{table} {counts}" for table, counts in states.items())])

    async def _until_over(self, actor: Callable[[], Awaitable[None]]) -> None:
        while not self.over.is_set():
            await actor()

    async def _sleep(self, longest: float) -> None:
        await asyncio.sleep(self.dice.random() * longest)

    async def _write(self) -> None:
        await self._sleep(0.1)
        chat = self.dice.choice(CHATS)
        inbound = self.stage.inbound(chat, account=self.accounts[chat])
        fate = self.dice.random()
        if fate < 0.1:
            await asyncio.gather(self._accept(inbound), self._accept(inbound))
        elif fate < 0.2:
            giving_up = asyncio.create_task(messages.accept(self.db, inbound))
            await asyncio.wait({giving_up}, timeout=self.dice.random() * 0.01)
            giving_up.cancel()
            await self._accept(inbound)
        else:
            await self._accept(inbound)

    async def _accept(self, inbound: Inbound) -> None:
        began = time.monotonic()
        accepted = await messages.accept(self.db, inbound)
        self.written.append(Written(accepted, began, time.monotonic()))
        self.runs.wake(self.stage.tenant, accepted.wake, accepted.session_id if accepted.wake == "session" else accepted.conversation_id)

    async def _decide(self) -> None:
        await self._sleep(0.1)
        query = "select id, purpose from approvals where tenant_id = %s and state = 'pending' order by random() limit 1"
        for row in self.stage.rows(query):
            clicks = [self._click(row["id"], row["purpose"], member) for member in self.dice.sample(["ann", "ben", "cy"], self.dice.randrange(1, 4))]
            await asyncio.gather(*clicks)

    async def _click(self, approval: str, purpose: str, member: str) -> None:
        verdict = self.dice.choice(["approved", "approved", "denied"])
        decided = await approvals.decide(
            self.db, self.stage.tenant, approval, member=member, identities=["owner"], verdict=verdict, comment="",
            answer=self.dice.choice(["done", "not done"]) if purpose == "outcome" else None, sha256=None, via="test",
        )  # fmt: skip
        self.verdicts.setdefault(approval, []).append(decided.status)
        self.runs.wake(self.stage.tenant, decided.wake, decided.wake_id)
        self.runs.wake(self.stage.tenant, "approval", approval)

    def _some(self, table: str, where: str = "true") -> str | None:
        query = f"select id from {table} where tenant_id = %s and {where} order by random() limit 1"
        return next((row["id"] for row in self.stage.rows(query)), None)

    async def _pause(self) -> None:
        await self._sleep(0.6)
        if session := self._some("sessions", "life = 'open'"):
            await sessions.suspend(self.db, self.stage.tenant, session)
            self.runs.wake(self.stage.tenant, "session", session)
            await self._sleep(0.3)
            await sessions.resume(self.db, self.stage.tenant, session, {})
            self.runs.wake(self.stage.tenant, "session", session)

    async def _cancel(self) -> None:
        await self._sleep(1.0)
        if session := self._some("sessions", "life = 'open'"):
            self.cancels += await sessions.cancel_turn(self.db, self.stage.tenant, session) == "cancelled"
            self.runs.wake(self.stage.tenant, "session", session)

    async def _close(self) -> None:
        await self._sleep(2.0)
        if session := self._some("sessions", "life <> 'closed'"):
            await sessions.close(self.db, self.stage.tenant, session, self.dice.choice(["member", "expired"]))

    async def _reroute(self) -> None:
        await self._sleep(0.5)
        if self.dice.random() < 0.3:
            async with self.db.transaction(self.stage.tenant) as tx:
                agent = self.dice.choice((self.stage.one, self.stage.two))
                await bindings.change(tx, "boss", self.binding, account=None, any_account=True, chat=None, thread=None, agent=agent)
        elif conversation := self._some("conversations"):
            agent = self.dice.choice((self.stage.one, self.stage.two))
            session = await self.stage.settle(conversation, agent, self.dice.choice(["shared", None]))
            self.runs.wake(self.stage.tenant, "session", session)

    async def _speak(self) -> None:
        await self._sleep(0.5)
        if conversation := self._some("conversations"):
            delivers = not self.stage.row("conversations", conversation)["chat"].startswith("wire")
            await messages.append_outbound(
                self.db, self.stage.tenant, conversation, "a word", "boss", commit_delivers=delivers, external_id=new_id("msg")
            )

    async def _sweeping(self) -> None:
        await self._sweep.once()
        await asyncio.sleep(0.1)

    async def _hasten(self) -> None:
        """A promise may always be kept sooner; seconds would be long in here. It waits for no lock, so it keeps no order of locks."""
        await asyncio.sleep(0.15)
        for table in ("sessions", "conversations", "approvals"):
            query = f"""
                update {table} set wake_at = now() where tenant_id = %(t)s and id in (
                  select id from {table} where tenant_id = %(t)s and wake_at > now() for no key update skip locked)"""
            self.stage.owner.execute(query.encode(), {"t": self.stage.tenant})

    async def _watch(self) -> None:
        await asyncio.sleep(0.1)
        self.found.update(await asyncio.to_thread(broken, self.stage))
        assert not self.found, sorted(self.found)
