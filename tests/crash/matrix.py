"""Runs cases: people are led to the places, the part dies, everybody goes on, and what became of it all is counted."""

import asyncio
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from tests.crash.stack import Armed
from tests.crash.stage import Stage
from tests.crash.steps import Case
from tests.crash.stories import Story
from tests.crash.tally import Tally


@dataclass
class Played:
    """A case with its story, and what went wrong in it."""

    case: Case
    story: Story
    armed: Armed | None = None
    fault: str = ""
    tally: Tally = field(default_factory=Tally)

    async def tried(self, work: Callable[[], Awaitable[object]], *, anyway: bool = False) -> None:
        """Does a part of the story, unless something went wrong before; counting is done `anyway`."""
        if self.fault and not anyway:
            return
        try:
            await work()
        except Exception:
            self.fault = self.fault or f"{self.case}: {traceback.format_exc(limit=-3)}"

    async def stopped(self) -> None:
        """Leads the story to its place."""
        place, edge = self.case.place
        self.armed = self.story.stack.arm(self.case.step.part, place, edge, *self.story.words)
        await self.story.lead()
        await self.story.reached(self.armed)

    async def counted(self) -> None:
        """Counts what became of it."""
        self.tally = await self.story.counted()
        assert self.tally.clean, f"{self.tally}"


async def play(stage: Stage, group: Sequence[Case]) -> list[Played]:
    """Cases that share one death: each stands at its place, then the part is killed, and whoever still stands goes on."""
    played = [Played(case, case.step.story(stage, case.edge)) for case in group]
    await asyncio.gather(*(one.tried(one.story.prepare) for one in played))
    for one in played:
        await one.tried(one.stopped)
    await asyncio.to_thread(stage.stack.kill, group[0].part)
    for one in played:
        if one.armed:
            one.armed.disarm()
    await asyncio.gather(*(one.tried(one.story.goes_on) for one in played))
    await asyncio.gather(*(one.tried(one.counted) for one in played))
    return played


async def play_all(stage: Stage, groups: Sequence[Sequence[Case]], tell: Callable[[str], None]) -> list[Played]:
    """All groups, one after the other; at the very end everything is counted again, for what came late. `tell` hears of each."""
    played: list[Played] = []
    for number, group in enumerate(groups, 1):
        now = await play(stage, group)
        played += now
        tell(f"{number}/{len(groups)} {' + '.join(str(case) for case in group)}: {'; '.join(one.fault for one in now if one.fault) or 'well'}")
    await asyncio.gather(*(one.tried(one.counted, anyway=True) for one in played))
    await asyncio.gather(*(one.story.person.stop() for one in played))
    return played
