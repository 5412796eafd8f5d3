"""What a person, a member or a clock does that leads to the steps of a session's life: paused, resumed, swept, completed, begun anew."""

import asyncio
from typing import ClassVar

from temporalio.client import Client, WorkflowExecutionStatus

from tests.crash.stack import PATIENCE, Armed
from tests.crash.stories import Story
from tests.crash.tally import answered


class Pausing(Story):
    """A member pauses the session; what is written then waits."""

    joined = False
    verb: ClassVar[str] = "suspend"

    async def lead(self) -> None:
        """Pauses; after the commit, the poke that tells of it is lost."""
        self.lost = self.stack.arm("API", "poke", "before", self.session, lose=True) if self.edge == "after" else None
        self.later(self._say(self.verb))

    async def goes_on(self) -> None:
        """What is written while it is paused is kept and not answered; resumed, it is."""
        await self._said()
        await self.person.write("echo paused")
        kept = (await self.person.all_accepted())[-1]
        assert await asyncio.to_thread(self.stack.rows, "select 1 from messages where id = %s and state = 'pending'", kept), "answered while paused"
        await self._say("resume")
        await super().goes_on()

    async def _said(self) -> None:
        await asyncio.gather(*self.tasks)
        if self.lost:
            self.lost.disarm()

    async def _say(self, verb: str) -> None:
        answer = await self.stack.post(f"/v1/sessions/{self.session}/{verb}")
        assert answer.status_code == 200, answer.text


class Resuming(Pausing):
    """A member resumes a session with a message that waits."""

    verb = "resume"

    async def prepare(self) -> None:
        """Pauses it, and writes."""
        await super().prepare()
        await self._say("suspend")
        await self.person.write("echo waits")
        await self.person.all_accepted()

    async def goes_on(self) -> None:
        """Everything that waited is answered."""
        await self._said()
        await Story.goes_on(self)


class Sweeping(Story):
    """A message whose poke is lost."""

    async def lead(self) -> None:
        """Writes, and the poke goes nowhere."""
        lost = self.stack.arm("API", "poke", "before", self.session, lose=True)
        await super().lead()
        await self.stack.until("select 1 from messages where conversation_id = %s and text like %s", self.conversation, f"%{self.person.name} leads")
        self.lost = lost

    async def goes_on(self) -> None:
        """Pokes arrive again."""
        self.lost.disarm()
        await super().goes_on()


class Completing(Story):
    """A run has nothing to do any more and ends."""

    async def reached(self, armed: Armed) -> None:
        """Before: the run has decided to end, and a message comes. After: Temporal has written down that it ended."""
        if self.edge == "before":
            await super().reached(armed)
            return
        temporal = await Client.connect(self.stack.told["temporal_address"])
        tenant = (await asyncio.to_thread(self.stack.rows, "select tenant_id from sessions where id = %s", self.session))[0]["tenant_id"]
        async with asyncio.timeout(PATIENCE):
            run = temporal.get_workflow_handle(f"session/{tenant}/{self.session}")
            while (await run.describe()).status is not WorkflowExecutionStatus.COMPLETED:
                await asyncio.sleep(0.1)


class Continuing(Story):
    """A run has looked often and begins anew."""

    @property
    def words(self) -> tuple[str, ...]:
        """Before: any look of the session that rolls over. After: the first thing the new run does."""
        return (self.session,) if self.edge == "before" else (self.session, "continued", "looks=0;")

    async def lead(self) -> None:
        """Writes one message after another, each when the one before is answered, as `reached` looks on."""
        self.writing = asyncio.create_task(self._write())

    async def reached(self, armed: Armed) -> None:
        """Stops writing when the run has looked often enough."""
        try:
            await armed.reached()
        finally:
            self.writing.cancel()
            await asyncio.gather(self.writing, return_exceptions=True)
        await super().reached(armed)

    async def _write(self) -> None:
        while True:
            await self.person.write("echo again")
            await answered(self.stack, [self.person])
