"""Keep something in the session's context."""

from typing import Annotated, Literal

from pydantic import Field

from agents import Hands, Json
from agents.tools import Arguments


class RememberArguments(Arguments):
    """What to keep, and under which name."""

    key: Annotated[str, Field(min_length=1, max_length=200, description="A short name to find it by, such as “colour”.")]
    value: Annotated[Json, Field(description="What to remember. It replaces what was kept under the same key.")]


class Remember:
    """Changes only what this session remembers."""

    name = "remember"
    description = "Remember something for the rest of this conversation, under a key."
    arguments = RememberArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 30.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: RememberArguments, hands: Hands) -> Json:
        """Put it into the context."""
        await hands.effects.remember(arguments.key, arguments.value)
        return {"remembered": arguments.key}
