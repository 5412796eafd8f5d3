"""What thinks, acts and sends in a storm: an agent that throws dice, tools that count their effects, a channel that is not reliable."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from agents import Call, Hands, Json, Look, Reply, Say, Stream, Thought
from channels import AccountSeen, Outgoing
from channels.webchat import WebChat
from domain.errors import SendFailed, SendUncertain, ToolFailed
from domain.messages import Receipt


@dataclass
class Effects:
    """What happened in the world outside: how often each call's effect, and which messages came over the wire, in order."""

    done: Counter[str] = field(default_factory=Counter)
    wire: list[tuple[str, str]] = field(default_factory=list)


class NoArguments(BaseModel):
    """Anything goes."""

    model_config = ConfigDict(extra="allow")


class Dice:
    """A backend without a plan: it calls tools or speaks, and says which messages it answers."""

    name = "dice"

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice

    async def think(self, look: Look, stream: Stream) -> Thought:
        await asyncio.sleep(self._dice.random() * 0.008)
        if len(look.calls) < 3 and self._dice.random() < 0.35:
            tool = self._dice.choice(["plain", "plain", "keyed", "asked", "asked", "refund", "follow_up", "denied", "failing"])
            return Thought(step=Call(tool=tool, arguments=_arguments(tool, self._dice)))
        seqs = [heard.seq for heard in look.batch]
        if self._dice.random() < 0.5:
            return Thought(step=Say(replies=tuple(Reply(text=f"re {seq}", answers=(seq,)) for seq in seqs)))
        return Thought(step=Say(replies=(Reply(text="re " + " ".join(map(str, seqs))),)))


def _arguments(tool: str, dice: random.Random) -> dict[str, Json]:
    match tool:
        case "refund":
            return {"amount": 1, "to": "Ada"}
        case "follow_up":
            return {"after_seconds": round(0.2 + dice.random(), 2), "note": "later"}
        case _:
            return {"n": dice.randrange(1000)}


class Outside:
    """A tool whose effect is outside: it takes a moment, so that it can be cut off before, in and after it."""

    description = "An effect outside."
    arguments: ClassVar[type[BaseModel]] = NoArguments
    timeout = 20.0
    commits = False
    runs_in: Literal["worker", "process"] = "worker"

    def __init__(self, name: str, effects: Effects, dice: random.Random, *, gate: Literal["run", "ask", "deny"], idempotent: bool) -> None:
        self.name, self.gate, self.idempotent = name, gate, idempotent
        self._effects, self._dice = effects, dice

    async def run(self, arguments: Any, hands: Hands) -> Json:
        await asyncio.sleep(self._dice.random() * 0.01)
        if self.name == "failing":
            raise ToolFailed("It always fails.")
        self._effects.done[hands.idempotency_key] += 1
        await asyncio.sleep(self._dice.random() * 0.01)
        return {"effect": hands.idempotency_key}


def outside_tools(effects: Effects, dice: random.Random) -> dict[str, Outside]:
    """The tools by name."""
    made = [
        Outside("plain", effects, dice, gate="run", idempotent=False),
        Outside("keyed", effects, dice, gate="run", idempotent=True),
        Outside("asked", effects, dice, gate="ask", idempotent=False),
        Outside("denied", effects, dice, gate="deny", idempotent=False),
        Outside("failing", effects, dice, gate="run", idempotent=False),
    ]
    return {tool.name: tool for tool in made}


class Wire(WebChat):
    """A channel with a wire: it may refuse for the moment, or take a message and not say so. It recognises what it was sent before."""

    name: ClassVar[str] = "wire"
    commit_delivers: ClassVar[bool] = False
    streams: ClassVar[bool] = False

    def __init__(self, effects: Effects, dice: random.Random) -> None:
        self._effects, self._dice, self._seen = effects, dice, set[str]()

    async def send(self, account: AccountSeen, outgoing: Outgoing) -> Receipt:
        await asyncio.sleep(self._dice.random() * 0.005)
        if self._dice.random() < 0.04:
            raise SendFailed(retry_after=0.01)
        if outgoing.message_id not in self._seen:
            self._seen.add(outgoing.message_id)
            self._effects.wire.append((outgoing.chat, outgoing.message_id))
        if self._dice.random() < 0.04:
            raise SendUncertain(retry_after=0.01)
        await asyncio.sleep(self._dice.random() * 0.005)
        return Receipt(id=outgoing.message_id)
