"""The contracts of backend and tool: what thinks for an agent, and what an agent can do.

A backend is asked for one step at a time and keeps nothing between steps: everything it may know is in the `Look`.
A tool is a name, a schema, a default gate and a function. Third parties add either through the entry point groups
`switchboard.backends` and `switchboard.tools`; ours are registered the same way.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict

Json = Any


class Frozen(BaseModel):
    """A value that does not change."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ToolSpec(Frozen):
    """A tool as a backend sees it: `parameters` is a JSON schema of an object."""

    name: str
    description: str
    parameters: Mapping[str, Json]


class Verdict(Frozen):
    """What became of an approval this session asked for, with the call's result where it was carried out.

    With the purpose `outcome` a human was asked what became of a call that broke off, and `answer` is `done` or `not done`. `uncertain`
    is an approved call that broke off: nobody knows yet whether it was carried out, and a human is asked.
    """

    approval_id: str
    verdict: Literal["approved", "denied", "expired", "cancelled"]
    tool: str
    arguments: Mapping[str, Json]
    comment: str = ""
    answer: Json = None
    result: Json = None
    failed: bool = False
    purpose: Literal["gate", "outcome"] = "gate"
    uncertain: bool = False


class Heard(Frozen):
    """One inbound message of the turn's batch. `kind` is text, timer, verdict or note (written by a member)."""

    seq: int
    kind: Literal["text", "timer", "verdict", "note"]
    text: str
    sender: str = ""
    approval: Verdict | None = None


class Said(Frozen):
    """One line of the transcript before this turn, oldest first."""

    seq: int
    speaker: Literal["person", "agent", "system"]
    text: str
    at: datetime


class Called(Frozen):
    """A call made earlier in this turn, in the order of `n`.

    A waiting call has `approval_id` and whom it `asked`, in words. The result of a denied or failed call is a sentence, or an object
    with one under `reason` or `error`.
    """

    n: int
    call_id: str
    tool: str
    arguments: Mapping[str, Json]
    state: Literal["waiting", "denied", "done", "failed", "unknown"]
    result: Json = None
    asked: str = ""
    approval_id: str = ""


class Look(Frozen):
    """All that a backend may know when it is asked for the next step of a turn.

    `batch` may grow at its end between two steps of a turn; what was in it stays. `plan` has items `{"text": …, "done": …}`.
    """

    agent: str
    persona: str
    model: str
    mode: str
    language: str
    now: datetime
    batch: tuple[Heard, ...]
    transcript: tuple[Said, ...]
    calls: tuple[Called, ...]
    context: Mapping[str, Json]
    plan: tuple[Mapping[str, Json], ...]
    tools: tuple[ToolSpec, ...]


class Reply(Frozen):
    """One outbound message and the batch's seqs it answers; an empty `answers` means all not yet answered."""

    text: str
    answers: tuple[int, ...] = ()


class Say(Frozen):
    """The step that ends a turn: what is told, in order."""

    kind: Literal["say"] = "say"
    replies: tuple[Reply, ...]


class Call(Frozen):
    """The step that wants a tool called."""

    kind: Literal["call"] = "call"
    tool: str
    arguments: Mapping[str, Json]


class Usage(Frozen):
    """What one model request cost. Tokens are counts; `cost_usd` is None where no price is known."""

    model: str
    tokens_in: int = 0
    tokens_out: int = 0
    cost_usd: float | None = None


class Thought(Frozen):
    """One step and what it cost."""

    step: Say | Call
    usage: Usage | None = None


Stream = Callable[[str], Awaitable[None]]
"""Takes the whole reply as far as it is known; called as it grows, as often as the provider sends a piece. It paces itself."""


class Backend(Protocol):
    """What thinks for an agent. It keeps nothing between steps."""

    @property
    def name(self) -> str:
        """What an agent's `backend` names it by; the same as its entry point's name."""
        ...

    async def think(self, look: Look, stream: Stream) -> Thought:
        """The next step. Raises ModelUnavailable (tried again) or ModelRefused (the person is told)."""
        ...


class Effects(Protocol):
    """What a tool may change in Switchboard itself; committed together with the call's being done, or not at all.

    `check_plan` raises ToolFailed when the plan has no item of that index.
    """

    async def remember(self, key: str, value: Json) -> None: ...
    async def set_plan(self, items: list[str]) -> None: ...
    async def check_plan(self, index: int) -> None: ...
    async def follow_up(self, at: datetime, note: str) -> None: ...
    async def refund(self, amount: float, to: str) -> None: ...


class Hands(Frozen):
    """What a running tool is given: who it acts for, and the key that makes a repeated effect recognisable."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)

    tenant_id: str
    session_id: str
    conversation_id: str
    idempotency_key: str
    now: datetime
    effects: Any
    """An `Effects`, for tools whose `commits` is true; None for the others."""


class Tool(Protocol):
    """Something an agent can do. Plain class attributes are enough for all but `run`."""

    @property
    def name(self) -> str:
        """What a backend calls it by; the same as its entry point's name."""
        ...

    @property
    def description(self) -> str:
        """A sentence or two for the model: what it does and when to use it."""
        ...

    @property
    def arguments(self) -> type[BaseModel]:
        """The model its arguments have to fit; its JSON schema is what a backend sees."""
        ...

    @property
    def gate(self) -> Literal["run", "ask", "deny"]:
        """The default: run, ask (a human decides first) or deny. An agent's own rules come before it."""
        ...

    @property
    def timeout(self) -> float:
        """Seconds after which it is stopped and has failed."""
        ...

    @property
    def idempotent(self) -> bool:
        """Whether the outside world recognises `Hands.idempotency_key`, so that a broken attempt may be repeated."""
        ...

    @property
    def commits(self) -> bool:
        """Whether all it changes is in Switchboard's own Postgres: effect and done are one commit. Its `timeout` is then 30 seconds at most."""
        ...

    @property
    def runs_in(self) -> Literal["worker", "process"]:
        """`process` gives it a process of its own, killed at `timeout`; it has no effects there."""
        ...

    async def run(self, arguments: Any, hands: Hands) -> Json:
        """Do it and return a JSON value. Raises ToolFailed when it cannot be done."""
        ...
