"""What a person does that leads to a step, and what has to come of it whatever dies there."""

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any, ClassVar

from tests.crash.caller import Caller
from tests.crash.kit import posted
from tests.crash.stack import Armed
from tests.crash.stage import Stage
from tests.crash.tally import Tally, answered, tally
from tests.crash.visitor import Visitor

_amounts = itertools.count(1000)
SAID = """
select m.id from messages m where m.conversation_id = %s and m.direction = 'outbound' and m.text like %s
"""
LED_TO = """
select id, state from messages where conversation_id = %s and direction = 'outbound' and text like '%%leads' and state in ('sent', 'unknown')
"""


class Story:
    """One person with a settled conversation at rest. `words` tell this story's calls from all others at the place where it stops."""

    account: ClassVar[str] = ""
    """The field of the stage with the web chat's account; the demo's where it is empty."""
    joined: ClassVar[bool] = True
    """Whether one more message is written while everything stands. Not where its poke could wake what the step itself has to wake."""

    def __init__(self, stage: Stage, edge: str) -> None:
        self.stage, self.stack, self.edge = stage, stage.stack, edge
        self.person: Visitor | Caller = self._make_person()
        self.conversation = self.session = ""
        self.tasks: list[asyncio.Task[Any]] = []

    def _make_person(self) -> Visitor | Caller:
        visitor = Visitor(self.stack, getattr(self.stage, self.account) if self.account else "")
        visitor.start()
        return visitor

    @property
    def words(self) -> tuple[str, ...]:
        """What a call at the place has to hold."""
        return (self.session,)

    async def prepare(self) -> None:
        """Says hello, and waits until the session rests."""
        await self.person.write("echo hello")
        assert await answered(self.stack, [self.person]), "not even hello was answered"
        first = (await self.person.all_accepted())[0]
        found = await self.stack.until(
            "select c.id, c.session_id from messages m join conversations c on c.id = m.conversation_id join sessions s on s.id = c.session_id"
            " where m.id = %s and s.step = 0 and s.wake_at is null", first,
        )  # fmt: skip
        self.conversation, self.session = found["id"], found["session_id"]

    async def lead(self) -> None:
        """Does what leads to the place, and does not wait for what comes of it."""
        await self.person.write(f"echo {self.person.name} leads")

    async def reached(self, armed: Armed) -> None:
        """Returns when the place is reached. While everything stands there, one more message is written where the story is `joined`."""
        await armed.reached()
        if self.joined:
            await self.person.write("echo meanwhile")

    async def goes_on(self) -> None:
        """Everything that a person still does afterwards, until all is told; a fault is an AssertionError."""
        await asyncio.gather(*self.tasks)
        assert await answered(self.stack, [self.person]), "not answered, as long as nothing new was written"
        await self.person.write("echo afterwards")
        await answered(self.stack, [self.person])

    async def counted(self) -> Tally:
        """What became of it all."""
        return await tally(self.stack, self.person, posted(self.stack.posts))

    def later(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begins something whose end is waited for when the story goes on."""
        self.tasks.append(asyncio.create_task(work))

    async def told(self, *words: str) -> None:
        """Waits until this person was told something with these words."""
        await self.stack.until(SAID, self.conversation, f"%{'%'.join(words)}%")

    async def approval(self, state: str, purpose: str = "gate") -> str:
        """This conversation's approval, once it is in a state."""
        query = "select id from approvals where conversation_id = %s and state = %s and purpose = %s"
        return str((await self.stack.until(query, self.conversation, state, purpose))["id"])


class Chatting(Story):
    """Writes a message to an agent at rest."""


class Waking(Story):
    """The same, and no other message helps."""

    joined = False


class Accepting(Waking):
    """The same, told by the message's own words: its place does not know the session yet."""

    @property
    def words(self) -> tuple[str, ...]:
        """The message's words."""
        return (f"{self.person.name} leads",)


class Asking(Story):
    """Asks for a refund that a human approves once it is asked about."""

    async def lead(self) -> None:
        """Asks."""
        self.amount = next(_amounts)
        await self.person.write(f"refund {self.amount} to Ana")

    async def goes_on(self) -> None:
        """Approves; it is paid once, and told."""
        answer = await self.stack.decide(await self.approval("pending"), "approved")
        assert answer.status_code == 200, answer.text
        await self._paid()

    async def _paid(self) -> None:
        await super().goes_on()
        await self.told(str(self.amount), "approved and paid")
        paid = await asyncio.to_thread(self.stack.rows, "select 1 from demo_refunds where amount = %s", self.amount)
        assert len(paid) == 1, f"paid {len(paid)} times"


class Deciding(Asking):
    """A refund that waits is approved, by somebody who clicks until an answer comes."""

    joined = False

    async def prepare(self) -> None:
        """Asks, and waits until it is asked about and the conversation rests."""
        await super().prepare()
        await super().lead()
        self.waiting = await self.approval("pending")
        await answered(self.stack, [self.person])

    @property
    def words(self) -> tuple[str, ...]:
        """The approval."""
        return (self.waiting,)

    async def lead(self) -> None:
        """Approves."""
        self.later(self._decide())

    async def goes_on(self) -> None:
        """It is paid once, and told."""
        await self._paid()

    async def _decide(self) -> None:
        answer = await self.stack.decide(self.waiting, "approved")
        assert answer.status_code == 200, answer.text
        assert answer.json()["verdict"] == "approved"


class Expiring(Asking):
    """Asks for a refund that nobody decides in time."""

    account = "hasty"

    @property
    def words(self) -> tuple[str, ...]:
        """None: nothing else expires here."""
        return ()

    async def goes_on(self) -> None:
        """It is told that it expired, and nothing was paid."""
        await Story.goes_on(self)
        await self.approval("expired")
        await self.told(str(self.amount), "expired")
        assert await asyncio.to_thread(self.stack.rows, "select 1 from demo_refunds where amount = %s", self.amount) == []


class Paying(Story):
    """A refund that needs nobody's word: its effect commits together with its being done."""

    async def lead(self) -> None:
        """Asks for it."""
        await self.person.write("refund 0 to Ana")

    async def goes_on(self) -> None:
        """It is paid once, and told."""
        await super().goes_on()
        await self.told("refund of 0", "paid")
        paid = "select 1 from demo_refunds r join calls c on c.id = r.call_id where c.conversation_id = %s"
        assert len(await asyncio.to_thread(self.stack.rows, paid, self.conversation)) == 1


class Posting(Story):
    """Has a letter posted, which nothing takes back or recognises."""

    account = "posting"

    async def lead(self) -> None:
        """Asks for it."""
        await self.person.write(f"post {self.person.name}")

    async def goes_on(self) -> None:
        """It was posted once and is told so; or it broke off, a human is asked, looks, and says what became of it."""
        call = await self.stack.until(
            "select id, state from calls where conversation_id = %s and state in ('done', 'failed', 'unknown')", self.conversation
        )
        times = posted(self.stack.posts).count(call["id"])
        if call["state"] == "unknown":
            answer = await self.stack.decide(await self.approval("pending", "outcome"), "approved", answer="done" if times else "not done")
            assert answer.status_code == 200, answer.text
            await self.told("broke off", "was done after all" if times else "was not done")
        else:
            assert (call["state"], times) == ("done", 1)
        await super().goes_on()


class Calling(Story):
    """Writes over a wire whose other end drops what it has seen."""

    recognises: ClassVar[bool] = True

    def _make_person(self) -> Caller:
        account = self.stage.recognising if self.recognises else self.stage.forgetful
        return Caller(self.stack, account, self.stage.receiver, recognises=self.recognises)


class CallingTheForgetful(Calling):
    """Writes over a wire whose other end takes everything: what is not certain is decided by a member."""

    recognises = False

    async def goes_on(self) -> None:
        """Whatever is unknown is sent again by a member, with a label."""
        self.later(self._resend())
        await super().goes_on()

    async def _resend(self) -> None:
        found = await self.stack.until(LED_TO, self.conversation)
        if found["state"] == "unknown":
            answer = await self.stack.post(f"/v1/messages/{found['id']}/resend")
            assert answer.status_code in (200, 409), answer.text
