"""What the crash matrix needs beside the demo: agents whose tools are asked about or not, accounts for them, and a program on a wire."""

from dataclasses import dataclass
from typing import Any

from tests.crash.stack import Stoppable
from tests.journeys.receiver import SECRET, Receiver

WITHIN = 3.0
"""Seconds a hasty agent's approvals may be decided."""


@dataclass(frozen=True)
class Stage:
    """A stack with everything in place; the accounts by their ids."""

    stack: Stoppable
    receiver: Receiver
    hasty: str
    posting: str
    recognising: str
    forgetful: str


async def make_stage(stack: Stoppable, receiver: Receiver) -> Stage:
    """Adds the agents and the accounts to a running stack."""
    ask: dict[str, Any] = {"gate": "ask", "within": WITHIN, "approvers": ["owner"]}
    await _made(stack, "/v1/agents", name="hasty", tools=[{"name": "refund", "rules": [ask]}])
    await _made(stack, "/v1/agents", name="posting", tools=[{"name": "post"}])
    hasty = await _account(stack, "hasty", "hasty", channel="webchat")
    posting = await _account(stack, "posting", "posting", channel="webchat")
    wired = [
        await _account(
            stack, name, "demo", channel="wire", secrets={"secret": SECRET},
            settings={"deliver_url": receiver.url, "repeats_are_recognised": recognised},
        )
        for name, recognised in (("recognising", True), ("forgetful", False))
    ]  # fmt: skip
    return Stage(stack, receiver, hasty, posting, *wired)


async def _account(stack: Stoppable, name: str, agent: str, **more: Any) -> str:
    made = await _made(stack, "/v1/accounts", name=name, admission="open", **more)
    await _made(stack, "/v1/bindings", account=name, agent=agent)
    return str(made["id"])


async def _made(stack: Stoppable, path: str, **body: Any) -> dict[str, Any]:
    answer = await stack.post(path, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
