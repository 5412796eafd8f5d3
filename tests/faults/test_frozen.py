"""A worker stands still (SIGSTOP) until another has taken over, and then goes on where it stood: everything it still writes comes too late."""

import asyncio
from dataclasses import dataclass
from typing import ClassVar

from tests.crash.kit import posted
from tests.crash.stack import Armed
from tests.crash.stage import Stage
from tests.crash.stories import Calling, CallingTheForgetful, Chatting, Deciding, Posting, Story
from tests.faults.deeds import frozen, second_worker, until


class Waiting(Story):
    """Has a tool wait that may be repeated."""

    async def lead(self) -> None:
        """Asks for it."""
        await self.person.write("slow 0.1 there")


class Letter(Posting):
    """Has a letter posted; whether it was is known when the worker that posted it goes on again, so nobody has to say."""

    async def goes_on(self) -> None:
        """The question what became of it was answered by what did."""
        call = await self.stack.until("select id, state, late_outcome from calls where conversation_id = %s", self.conversation)
        assert posted(self.stack.posts).count(call["id"]) == 1
        assert (call["state"], call["late_outcome"]["posted"]) == ("done", self.person.name)
        asked = "select decided_by, verdict, answer from approvals where call_id = %s and purpose = 'outcome'"
        assert await asyncio.to_thread(self.stack.rows, asked, call["id"]) == [{"decided_by": "policy", "verdict": "approved", "answer": "done"}]
        await self.told("broke off", "was done after all")
        await Story.goes_on(self)


class Late(CallingTheForgetful):
    """Writes over a wire whose other end takes everything. The receipt that comes late settles what was not certain."""

    async def goes_on(self) -> None:
        """It arrived once, and is sent."""
        found = await self.stack.until(LED, self.conversation)
        assert found["state"] == "sent"
        assert [text for _, text in self.person.texts].count(found["text"]) == 1
        await Story.goes_on(self)


LED = "select id, state, text from messages where conversation_id = %s and direction = 'outbound' and text like '%% leads'"


@dataclass
class Scene:
    """A story, the place where its worker stands, what shows that another took over, and what shows that the first came too late."""

    story: Story
    place: str
    taken_over: str
    too_late: str = ""
    armed: Armed | None = None
    witness: Armed | None = None

    everyone: ClassVar[tuple[tuple[type[Story], str, str, str], ...]] = (
        (Chatting, "end", "select 1 from messages where conversation_id = %s and text like '%% leads' and state = 'answered'", "end"),
        (Waiting, "finish", "select 1 from calls where conversation_id = %s and state = 'done'", "finish"),
        (Letter, "finish", "select 1 from approvals where conversation_id = %s and purpose = 'outcome' and state = 'pending'",
         "select 1 from calls where conversation_id = %s and late_outcome is not null"),
        (Deciding, "refund", "select 1 from calls where conversation_id = %s and state = 'done'", ""),
        (Calling, "end_send", LED + " and state = 'sent'", "end_send"),
        (Late, "end_send", LED + " and state = 'unknown'", LED + " and state = 'sent'"),
    )  # fmt: skip

    @classmethod
    async def all_of(cls, stage: Stage) -> "list[Scene]":
        """Everybody, with a conversation at rest."""
        scenes = [cls(story(stage, "before"), place, taken, late) for story, place, taken, late in cls.everyone]
        await asyncio.gather(*(scene.story.prepare() for scene in scenes))
        return scenes

    async def begin(self) -> None:
        """Leads the worker to the place."""
        words = self.story.words if self.place != "refund" else (self.story.session,)
        self.armed = self.story.stack.arm("worker", self.place, "before", *words)
        await self.story.lead()
        await self.armed.reached()

    async def go_on_late(self) -> None:
        """Lets the first worker go on, once it runs again. Where only a place shows that it did, that place is watched from now on."""
        assert self.armed
        if self.too_late in ("end", "finish", "end_send"):
            rests = "select 1 from sessions where id = %s and step = 0 and wake_at is null"
            await self.story.stack.until(rests, self.story.session)
            self.witness = self.story.stack.arm("worker", self.too_late, "after", self.story.session)
        self.armed.disarm()

    async def came_late(self) -> None:
        """Returns when the first worker has tried to write."""
        if self.witness:
            await self.witness.reached()
            self.witness.disarm()
        elif self.too_late:
            await self.story.stack.until(self.too_late, self.story.conversation)


async def test_a_frozen_worker_that_goes_on_changes_nothing_any_more(stage: Stage) -> None:
    """Six people; the worker stands at the end of a turn, behind two tools, inside a refund's transaction and behind two sends."""
    scenes = await Scene.all_of(stage)
    for scene in scenes:
        await scene.begin()
    async with second_worker(stage.stack):
        async with frozen(stage.stack.part("worker")):
            for scene in scenes:
                await stage.stack.until(scene.taken_over, scene.story.conversation)
            for scene in scenes:
                await scene.go_on_late()
        for scene in scenes:
            await scene.came_late()
        await asyncio.gather(*(scene.story.goes_on() for scene in scenes))

    for scene in scenes:
        counted = await scene.story.counted()
        assert counted.clean, f"{type(scene.story).__name__}: {counted}"
        await scene.story.person.stop()
    await until(lambda: len(set(posted(stage.stack.posts))) == len(posted(stage.stack.posts)), "every letter once")
