"""Pay money back; in the demo a line in the table `demo_refunds`, so that paying twice would be seen."""

from typing import Annotated, Literal

from pydantic import Field

from agents import Hands, Json
from agents.tools import Arguments


class RefundArguments(Arguments):
    """How much to whom."""

    amount: Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False, description="How much to pay back, 0 to 1000000.")]
    to: Annotated[str, Field(min_length=1, max_length=200, description="The name of the person who gets it.")]


class Refund:
    """Money leaves: by default a human is asked first."""

    name = "refund"
    description = "Pay an amount of money back to a person. A human usually has to approve it first."
    arguments = RefundArguments
    gate: Literal["run", "ask", "deny"] = "ask"
    timeout = 30.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: RefundArguments, hands: Hands) -> Json:
        """Write the refund down, in the same commit as the call's being done."""
        await hands.effects.refund(arguments.amount, arguments.to)
        return {"refunded": arguments.amount, "to": arguments.to}
