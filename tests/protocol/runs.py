"""The workflows as a loop without Temporal: real activities, runs that are killed, attempts that come back as zombies, pokes that are lost."""

import asyncio
import dataclasses
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.approvals import Approvals
from activities.calls import Calls
from activities.messages import Messages
from activities.routing import Routing
from activities.sessions import Sessions
from domain.progress import ApprovalRef, Armed, CallRef, Clocked, ConversationRef, Looked, Routed, SessionRef

T = TypeVar("T")
LINGER = 0.25


class Killed(Exception):
    """The run was terminated."""


@dataclasses.dataclass
class Activities:
    """The real ones."""

    sessions: Sessions
    calls: Calls
    approvals: Approvals
    routing: Routing
    messages: Messages


class Runs:
    """At most one live run per workflow id, as Temporal has it; what a killed run had begun may go on as a zombie. It is the pokes, too."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.lost, self.killed, self.zombied = 0.15, 0.04, 0.05
        """How likely a poke is lost, a run is killed at an activity, an attempt is given up while it goes on."""
        self.kills = self.zombies = self.losses = 0
        self.faults: list[BaseException] = []
        self._activities: Activities | None = None
        self._live: dict[tuple[str, str, str], asyncio.Event] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    def begin(self, activities: Activities) -> None:
        """From now on, with these."""
        self._activities = activities

    @property
    def act(self) -> Activities:
        assert self._activities
        return self._activities

    def calm(self) -> None:
        """No more kills, zombies or lost pokes."""
        self.lost = self.killed = self.zombied = 0.0

    async def session(self, tenant: str, session: str) -> None:
        self._poke(("session", tenant, session), self._session)

    async def routing(self, tenant: str, conversation: str) -> None:
        self._poke(("routing", tenant, conversation), self._routing)

    async def home(self) -> str:
        """It keeps nothing that could be lost."""
        return "runs"

    async def approval(self, tenant: str, approval: str) -> None:
        self._poke(("approval", tenant, approval), self._approval)

    def wake(self, tenant: str, what: str | None, id_: str | None) -> None:
        """What an activity or a member pokes without waiting."""
        if id_ and what in ("session", "routing", "approval"):
            self.background(getattr(self, what)(tenant, id_))

    def background(self, work: Awaitable[Any]) -> asyncio.Task[Any]:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def _over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) and not isinstance(error, Killed | ApplicationError):
            self.faults.append(error)

    async def settled(self) -> None:
        """Waits for everything that is under way, zombies included."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    @property
    def live(self) -> int:
        return len(self._live)

    def _poke(self, key: tuple[str, str, str], body: Callable[[tuple[str, str], asyncio.Event], Awaitable[None]]) -> None:
        if self.dice.random() < self.lost:
            self.losses += 1
            return
        if key in self._live:
            self._live[key].set()
            return
        self._live[key] = poked = asyncio.Event()

        async def run() -> None:
            try:
                await body(key[1:], poked)
            finally:
                del self._live[key]

        self.background(run())

    async def _attempts(self, activity: Callable[[Any], Awaitable[T]], arg: Any) -> T:
        """One activity with its retries: each attempt may be overtaken by the next, or die with its run."""
        for attempt in range(1, 200):
            env = ActivityEnvironment()
            env.info = dataclasses.replace(env.info, attempt=attempt)
            task = self.background(env.run(activity, arg))
            fate = self.dice.random()
            if fate < self.killed + self.zombied:
                await asyncio.wait({task}, timeout=self.dice.random() * 0.03)
            if fate < self.killed:
                self.kills += 1
                if self.dice.random() < 0.5:
                    task.cancel()
                raise Killed
            if self.killed <= fate < self.killed + self.zombied and not task.done():
                self.zombies += 1
                continue
            try:
                return await task
            except ApplicationError as error:
                if error.non_retryable or error.type == "internal":
                    self.faults.append(error)
                    raise
                await asyncio.sleep(0.01)
        raise AssertionError("tried too often")

    async def _session(self, ref: tuple[str, str], poked: asyncio.Event) -> None:
        while True:
            poked.clear()
            looked: Looked = await self._attempts(self.act.sessions.think, SessionRef(*ref))
            match looked.next:
                case "act":
                    await self._attempts(self.act.calls.act, CallRef(ref[0], looked.id, looked.sha256))
                case "ask":
                    await self._attempts(self.act.approvals.ask, CallRef(ref[0], looked.id, purpose=looked.purpose))
                case "deliver":
                    await self._attempts(self.act.messages.deliver, ConversationRef(ref[0], looked.id))
                case "wait" | "rest" | "stop":
                    due = (looked.due_at - datetime.now(UTC)).total_seconds() if looked.due_at else LINGER
                    if not await poked_within(poked, max(0.0, min(due, LINGER))) and due >= LINGER:
                        return

    async def _routing(self, ref: tuple[str, str], poked: asyncio.Event) -> None:
        while True:
            poked.clear()
            routed: Routed = await self._attempts(self.act.routing.route, ConversationRef(*ref))
            if routed.outcome == "deliver":
                await self._attempts(self.act.messages.deliver, ConversationRef(*ref))
            elif routed.outcome != "again" and not await poked_within(poked, LINGER / 4):
                return

    async def _approval(self, ref: tuple[str, str], poked: asyncio.Event) -> None:
        while True:
            poked.clear()
            clock: Clocked = await self._attempts(self.act.approvals.read_clock, ApprovalRef(*ref))
            if clock.state != "pending" or clock.deadline_at is None:
                return
            wait = (clock.deadline_at - datetime.now(UTC)).total_seconds()
            if not await poked_within(poked, max(0.01, wait)):
                await self._attempts(self.act.approvals.expire, Armed(*ref, clock.deadline_at))


async def poked_within(poked: asyncio.Event, seconds: float) -> bool:
    """Whether a poke comes within a time."""
    try:
        await asyncio.wait_for(poked.wait(), seconds)
    except TimeoutError:
        return poked.is_set()
    return True
