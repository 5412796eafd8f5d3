"""From a look at a session to what its backend may know, and the draft that people see while it thinks."""

import asyncio
import time
from collections.abc import Mapping
from functools import cache
from types import TracebackType

from pydantic import BaseModel

from agents import Called, Heard, Look, Said, Tool, ToolSpec, Verdict
from domain.approvals import ToolUse
from domain.errors import SwitchboardError
from domain.sessions import Asked, Line, Sight, TurnCall
from store import messages
from store.notices import Notices
from store.pool import Database

QUIET = 0.4
"""Seconds of thinking before people see that someone is writing: a quick answer needs no such commit."""
EVERY = 0.15
"""Seconds between two states of a draft."""


def look_of(sight: Sight, tools: Mapping[str, Tool]) -> Look:
    """What a backend is asked with."""
    return Look(
        agent=sight.agent.name,
        persona=sight.agent.persona,
        model=sight.agent.model,
        mode=sight.mode,
        language=sight.agent.language,
        now=sight.looked_at,
        batch=tuple(_heard(line) for line in sight.batch),
        transcript=tuple(Said(seq=p.seq, speaker="person" if p.direction == "inbound" else "agent", text=p.text, at=p.at) for p in sight.transcript),
        calls=tuple(_called(call) for call in sight.calls),
        context=sight.context,
        plan=sight.plan,
        tools=tuple(_spec(tools[use.name]) for use in map(ToolUse.model_validate, sight.agent.tools) if use.name in tools),
    )


def _spec(tool: Tool) -> ToolSpec:
    return ToolSpec(name=tool.name, description=tool.description, parameters=_schema(tool.arguments))


@cache
def _schema(arguments: type[BaseModel]) -> dict[str, object]:
    return arguments.model_json_schema()


def _heard(line: Line) -> Heard:
    return Heard(seq=line.seq, kind=line.kind, text=line.text, sender=line.sender, approval=verdict_of(line.asked) if line.asked else None)


def verdict_of(asked: Asked) -> Verdict:
    """What became of an approval, with what its call came to."""
    return Verdict(
        approval_id=asked.approval_id,
        verdict=asked.verdict,
        tool=asked.tool,
        arguments=asked.arguments,
        comment=asked.comment,
        answer=asked.answer,
        result=asked.result,
        failed=asked.call.state in ("failed", "cancelled"),
        purpose="outcome" if asked.purpose == "outcome" else "gate",
        uncertain=asked.call.state == "unknown",
    )


def _called(call: TurnCall) -> Called:
    """A call of this turn. One that was asked about is waiting until the turn that takes its verdict."""
    waiting = call.gate == "ask"
    return Called(
        n=call.n,
        call_id=call.id,
        tool=call.tool,
        arguments=call.arguments,
        state="waiting" if waiting else call.state if call.state in ("denied", "done", "failed", "unknown") else "unknown",
        result=f"waiting for {call.approval_id}" if waiting else call.result,
        asked=call.asked,
        approval_id=call.approval_id or "",
    )


class Drafting:
    """Shows that someone is writing, and what, while a model request is under way. Losing a draft loses nothing."""

    def __init__(self, db: Database, notices: Notices, tenant: str, conversation: str, message: str, wanted: bool) -> None:
        self._db, self._notices, self._tenant = db, notices, tenant
        self._conversation, self._message, self._wanted = conversation, message, wanted
        self._shown_at = 0.0
        self._typing: asyncio.Task[None] | None = None
        self._written = False

    async def show(self, text_so_far: str) -> None:
        """The reply as far as it is written; states that come too quickly are left out."""
        if self._wanted and time.monotonic() - self._shown_at >= EVERY:
            self._shown_at = time.monotonic()
            await self._write(text_so_far)

    async def _write(self, text: str) -> None:
        try:
            async with self._db.transaction(self._tenant) as tx:
                await messages.write_draft(tx, self._conversation, self._message, text)
        except SwitchboardError:
            return
        self._written = True
        self._notices.tell(self._tenant, self._conversation)

    async def _say_typing(self) -> None:
        await asyncio.sleep(QUIET)
        if not self._shown_at:
            await self._write("")

    async def __aenter__(self) -> "Drafting":
        if self._wanted:
            self._typing = asyncio.create_task(self._say_typing())
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._typing:
            self._typing.cancel()
            await asyncio.gather(self._typing, return_exceptions=True)
