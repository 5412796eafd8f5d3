"""Wait a while; what stands for slow work in the demo and in tests."""

import asyncio
from typing import Annotated, Literal

from pydantic import Field

from agents import Hands, Json
from agents.tools import Arguments


class WaitArguments(Arguments):
    """How long to wait."""

    seconds: Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False, description="How many seconds to wait, 0 to 3600.")]


class Wait:
    """Sleeps; cancelled at once when its turn is."""

    name = "wait"
    description = "Wait for a number of seconds before going on."
    arguments = WaitArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 3660.0
    idempotent = True
    commits = False
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: WaitArguments, hands: Hands) -> Json:
        """Sleep for the seconds asked for. Raises nothing but cancellation."""
        await asyncio.sleep(arguments.seconds)
        return {"waited_seconds": arguments.seconds}
