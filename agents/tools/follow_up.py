"""Come back later: a message of the kind timer arrives in the same conversation when its time has come."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, model_validator

from agents import Hands, Json
from agents.tools import Arguments
from domain.errors import ToolFailed

YEAR = 365 * 86_400


class FollowUpArguments(Arguments):
    """When to come back, said in one of two ways, and what for."""

    after_seconds: Annotated[float | None, Field(gt=0, le=YEAR, allow_inf_nan=False)] = Field(
        default=None, description="In how many seconds. Give this or `at`, not both."
    )
    at: AwareDatetime | None = Field(default=None, description="At which time, RFC 3339 with a time zone. Give this or `after_seconds`.")
    note: Annotated[str, Field(min_length=1, max_length=2000, description="What to come back to; you are told it then.")]

    @model_validator(mode="after")
    def _one_time(self) -> Self:
        if (self.after_seconds is None) == (self.at is None):
            raise ValueError("give either after_seconds or at")
        return self


class FollowUp:
    """Changes only what this conversation will be woken by."""

    name = "follow_up"
    description = "Come back to this conversation later, by yourself, with a note of what for."
    arguments = FollowUpArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 30.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: FollowUpArguments, hands: Hands) -> Json:
        """Store the message that will come. Raises ToolFailed when its time is past or more than a year away."""
        at = _due(arguments, hands.now)
        if not hands.now < at <= hands.now + timedelta(seconds=YEAR):
            raise ToolFailed(f"`at` has to lie within the next year; it is {hands.now.isoformat(timespec='seconds')} now.", field="at")
        await hands.effects.follow_up(at, arguments.note)
        return {"comes_back_at": at.isoformat(timespec="seconds")}


def _due(arguments: FollowUpArguments, now: datetime) -> datetime:
    return arguments.at or now + timedelta(seconds=arguments.after_seconds or 0)
