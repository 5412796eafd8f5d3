"""A backend and tools for tests: the backend does as a message tells it, the tools do what no good tool does."""

import asyncio
import json
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict

from agents import Call, Hands, Json, Look, Reply, Say, Stream, Thought, Usage
from domain.errors import ModelRefused, ModelUnavailable

RAISED = {"unavailable": ModelUnavailable, "refused": ModelRefused}


class Puppet:
    """Reads its steps from the first message of the batch: a JSON list, the n-th for the n-th step; the last one is repeated.

    `{"call": tool, "with": arguments}`, `{"say": text}`, `{"sleep": seconds, …}` before either, `{"raise": unavailable | refused | bug}`.
    """

    name = "puppet"
    asked: ClassVar[list[str]] = []
    """Every first message it was asked to think about, once per request."""

    async def think(self, look: Look, stream: Stream) -> Thought:
        """The step that the message asks for. Raises what it asks for."""
        heard = look.batch[0]
        self.asked.append(heard.text)
        if heard.approval:
            return _say(json.dumps(heard.approval.model_dump(mode="json", include={"verdict", "failed", "purpose", "uncertain", "answer"})))
        steps: list[dict[str, Any]] = json.loads(heard.text) if heard.text.startswith("[") else [{"say": heard.text}]
        step = steps[min(len(look.calls), len(steps) - 1)]
        await asyncio.sleep(step.get("sleep", 0))
        if "raise" in step:
            raise RAISED[step["raise"]] if step["raise"] in RAISED else ValueError(heard.text)
        if "call" in step:
            return Thought(step=Call(tool=step["call"], arguments=step.get("with", {})), usage=Usage(model="puppet"))
        return _say(step["say"].format(*(call.state for call in look.calls)))


def _say(text: str) -> Thought:
    return Thought(step=Say(replies=(Reply(text=text),)), usage=Usage(model="puppet"))


class PostArguments(BaseModel):
    """What to post, and whether to wait inside until the test lets go."""

    model_config = ConfigDict(extra="forbid")

    words: str
    hold: bool = False


class Post:
    """An effect outside that nothing recognises when it is repeated: a posted letter."""

    name = "post"
    description = "Posts a letter."
    arguments = PostArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 30.0
    idempotent = False
    commits = False
    runs_in: Literal["worker", "process"] = "worker"
    begun: ClassVar[list[str]] = []
    posted: ClassVar[list[str]] = []
    let_go: ClassVar[asyncio.Event]

    async def run(self, arguments: PostArguments, hands: Hands) -> Json:
        """Posts it, held until `let_go` where that is asked for."""
        self.begun.append(arguments.words)
        if arguments.hold:
            await Post.let_go.wait()
        self.posted.append(arguments.words)
        return {"posted": arguments.words}


class BurstArguments(BaseModel):
    """Words that must show up nowhere."""

    words: str


class Burst:
    """Breaks down inside the transaction it commits in."""

    name = "burst"
    description = "Breaks down."
    arguments = BurstArguments
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 5.0
    idempotent = False
    commits = True
    runs_in: Literal["worker", "process"] = "worker"

    async def run(self, arguments: BurstArguments, hands: Hands) -> Json:
        """Writes something and then raises; neither the write nor the words may be seen."""
        await hands.effects.remember("half", arguments.words)
        raise RuntimeError(arguments.words)
