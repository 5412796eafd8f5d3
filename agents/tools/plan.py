"""Keep a plan: propose its items, then check them off one by one."""

from typing import Annotated, Literal

from pydantic import Field

from agents import Hands, Json
from agents.tools import Arguments

Item = Annotated[str, Field(min_length=1, max_length=500)]


class SetPlanArguments(Arguments):
    """The whole plan."""

    items: Annotated[list[Item], Field(min_length=1, max_length=50, description="The steps in order, each a short sentence.")]


class CheckPlanArguments(Arguments):
    """One item of the plan."""

    index: Annotated[int, Field(ge=0, lt=50, description="Which step is finished; the first is 0.")]


class SetPlan:
    """Replaces the session's plan; in the mode planning-control a human approves it first."""

    name = "set_plan"
    description = "Set your plan: every step in order. It replaces the plan you had."
    arguments = SetPlanArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 30.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: SetPlanArguments, hands: Hands) -> Json:
        """Store the plan with nothing checked off."""
        await hands.effects.set_plan(list(arguments.items))
        return {"planned": len(arguments.items)}


class CheckPlan:
    """Checks an item off."""

    name = "check_plan"
    description = "Check one step of your plan off when it is finished."
    arguments = CheckPlanArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 30.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: CheckPlanArguments, hands: Hands) -> Json:
        """Mark the item as done. Raises what `Effects.check_plan` raises when the plan has no such item."""
        await hands.effects.check_plan(arguments.index)
        return {"checked": arguments.index}
