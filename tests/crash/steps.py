"""The steps of the protocol, the process that does each, and where it stops before and after it."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tests.crash import lives, stories
from tests.crash.stack import PARTS

Edge = Literal["before", "after"]
EDGES: tuple[Edge, ...] = ("before", "after")
AT_ONCE = 5
"""How many steps stand still together, in the short run, when their process is killed."""


@dataclass(frozen=True)
class Step:
    """A step, the part that does it, the story that leads there, and its two places, each with the edge of it that is meant.

    `turn` is the order in which steps that share a death are led to their places: first those that a clock leads to, so that the others
    do not stand waiting for them; last those inside a workflow, which may stand still for two seconds only.
    """

    name: str
    part: str
    story: type[stories.Story]
    before: tuple[str, str]
    after: tuple[str, str]
    turn: Literal[1, 2, 3] = 2


@dataclass(frozen=True)
class Case:
    """One step, before or after, and the part that dies there."""

    step: Step
    edge: Edge
    part: str

    def __str__(self) -> str:
        return f"{self.step.name}, {self.edge}, {self.part} dies"

    @property
    def place(self) -> tuple[str, str]:
        """The place, and which edge of it."""
        return self.step.before if self.edge == "before" else self.step.after


def around(place: str) -> tuple[tuple[str, str], tuple[str, str]]:
    """Before and after one place."""
    return (place, "before"), (place, "after")


STEPS = (
    Step("accept: commit", "API", stories.Accepting, *around("accept")),
    Step("wake", "API", stories.Waking, *around("poke")),
    Step("think", "worker", stories.Chatting, *around("think")),
    Step("end of turn", "worker", stories.Chatting, *around("end")),
    Step("act: start", "worker", stories.Posting, *around("start")),
    Step("act: effect outside", "worker", stories.Posting, *around("post")),
    Step("act: effect in the same commit", "worker", stories.Paying, *around("refund")),
    Step("act: done", "worker", stories.Posting, *around("finish")),
    Step("approval opened", "worker", stories.Asking, *around("open")),
    Step("approval decided", "API", stories.Deciding, *around("decide")),
    Step("approval expired", "worker", stories.Expiring, *around("expire"), turn=1),
    Step("deliver: intent", "worker", stories.Calling, *around("begin_send")),
    Step("deliver: wire", "worker", stories.CallingTheForgetful, *around("wire")),
    Step("deliver: receipt", "worker", stories.Calling, *around("end_send")),
    Step("pause", "API", lives.Pausing, ("change", "before"), ("changed", "before")),
    Step("resume", "API", lives.Resuming, ("change", "before"), ("changed", "before")),
    Step("completion", "worker", lives.Completing, *around("run_over"), turn=3),
    Step("continue-as-new", "worker", lives.Continuing, ("rolls_over", "after"), ("run_begins", "before"), turn=3),
    Step("sweep", "worker", lives.Sweeping, *around("poke"), turn=1),
)


def every_case(dice: random.Random) -> list[list[Case]]:
    """Every step, before and after, with every part, in an order of chance: one step before and another one after it share each death."""
    groups: list[list[Case]] = []
    for part in PARTS:
        steps = dice.sample(STEPS, len(STEPS))
        others = next(turned for n in range(1, len(steps)) if _fit(steps, turned := steps[n:] + steps[:n]))
        groups += [_in_turn([Case(one, "before", part), Case(other, "after", part)]) for one, other in zip(steps, others, strict=True)]
    dice.shuffle(groups)
    return groups


def _fit(steps: Sequence[Step], others: Sequence[Step]) -> bool:
    """Whether no two that stand still inside a workflow would have to wait for each other."""
    return not any(one.turn == other.turn == 3 for one, other in zip(steps, others, strict=True))


def _in_turn(cases: Sequence[Case]) -> list[Case]:
    return sorted(cases, key=lambda case: case.step.turn)


def once_each(dice: random.Random) -> list[list[Case]]:
    """Each step once, before or after as chance has it, with the part that does it; those of one part in groups that share a death."""
    groups: list[list[Case]] = []
    for part in ("worker", "API"):
        cases = [Case(step, dice.choice(EDGES), part) for step in STEPS if step.part == part]
        dice.shuffle(cases)
        cases.sort(key=lambda case: case.step.turn, reverse=True)
        count = -(-len(cases) // AT_ONCE)
        groups += [_in_turn(cases[first::count]) for first in range(count)]
    dice.shuffle(groups)
    return groups


def names(groups: Sequence[Sequence[Case]]) -> str:
    """The cases in their order, for whoever reads a failure."""
    return "; ".join(" + ".join(map(str, group)) for group in groups)
