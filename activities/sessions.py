"""Sessions: think (look, and where nothing older comes first, one model request) and its end, one commit."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import BaseModel, ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

import traces
from activities import Wakes
from activities.beats import NotWanted, beating, paid_for, while_wanted
from activities.errors import edge, translated
from activities.looking import Drafting, look_of
from agents import Backend, Call, Reply, Say, Thought, Tool
from channels import Channel
from domain.approvals import Rule, ToolUse, arguments_sha256, rule_for
from domain.errors import Invalid, ModelRefused, ModelUnavailable, SwitchboardError
from domain.ids import new_id
from domain.progress import Looked, SessionRef
from domain.sessions import Act, Ask, Deliver, GiveUp, Rest, Sight, Stop, Think, what_next
from domain.text import chunks
from store import sessions
from store import traces as traces_of
from store.notices import Notices
from store.pool import Database
from store.sessions import Ended, Place
from texts import text

log = structlog.get_logger()
LOOKS = 5
"""How often one activity looks again after it was refused, before it lets the workflow ask anew."""


class Limits(BaseModel):
    """How far a turn may go. Times in seconds."""

    linger: float
    looks_before_continue: int
    turn_steps: int
    window: int
    think_timeout: float
    think_attempts: int


class Sessions:
    """The think activity. `backends`, `tools` and `channels` are by name."""

    def __init__(self, db: Database, notices: Notices, wakes: Wakes, backends: Mapping[str, Backend], tools: Mapping[str, Tool],
                 channels: Mapping[str, Channel], limits: Limits) -> None:  # fmt: skip
        self._db, self._notices, self._wakes = db, notices, wakes
        self._backends, self._tools, self._channels, self._limits = backends, tools, channels, limits

    @activity.defn(name="think")
    @edge
    async def think(self, ref: SessionRef) -> Looked:
        """Looks once at a session and does the next thing that is not another activity's. Raises what the model raises, to be tried again."""
        async with beating():
            try:
                return await self._look(ref)
            except ApplicationError:
                raise
            except Exception as error:
                again = error.retryable if isinstance(error, SwitchboardError) else activity.info().attempt < self._limits.think_attempts * 2
                if again:
                    raise
                log.exception("think.parked", session=ref.session)
                await sessions.park_turn(self._db, ref.tenant, ref.session, f"could not be answered ({type(error).__name__})")
                return self._looked("more", None)

    async def _look(self, ref: SessionRef) -> Looked:
        for _ in range(LOOKS):
            async with self._db.transaction(ref.tenant) as tx:
                sight = await sessions.look(tx, ref.session, self._limits.window)
            looked = await self._next(ref, sight) if sight else self._looked("stop", None, why="gone")
            if looked:
                return looked
        return self._looked("more", sight)

    async def _next(self, ref: SessionRef, sight: Sight) -> Looked | None:
        match what_next(sight, self._limits.turn_steps):
            case Stop(why=why):
                if why != "closed":
                    await sessions.rest(self._db, ref.tenant, ref.session)
                return self._looked("stop", sight, why=why)
            case Deliver(conversation_id=conversation):
                return self._looked("deliver", sight, id=conversation)
            case Act(call_id=call, sha256=sha256):
                return self._looked("act", sight, id=call, sha256=sha256)
            case Ask(call_id=call, purpose=purpose):
                return self._looked("ask", sight, id=call, purpose=purpose)
            case Rest():
                return self._after(ref, sight, await sessions.rest(self._db, ref.tenant, ref.session))
            case Think():
                return await self._thought(ref, sight)
            case GiveUp():
                words = text("too-many-steps", sight.agent.language, steps=self._limits.turn_steps)
                return self._after(ref, sight, await self._say(ref, sight, Say(replies=(Reply(text=words),)), new_id("msg")))

    async def _thought(self, ref: SessionRef, sight: Sight) -> Looked | None:
        seqs = [line.seq for line in sight.batch]
        origins = await traces_of.of_batch(self._db, ref.tenant, sight.conversation_id or "", seqs) if traces.are_on() else ()
        with traces.span("think", "consumer", origins=origins) as mark:
            mark.tell(tenant=ref.tenant, session=ref.session, conversation=sight.conversation_id, turn=sight.next_turn, step=sight.next_step)
            mark.tell(messages=" ".join(line.id for line in sight.batch))
            looked = await self._thought_once(ref, sight)
            mark.tell(call=looked.id if looked and looked.next in ("act", "ask") else None, next=looked.next if looked else "again")
        return looked

    async def _thought_once(self, ref: SessionRef, sight: Sight) -> Looked | None:
        message, began = new_id("msg"), time.monotonic()
        channel = self._channels.get(sight.channel or "")
        drafting = Drafting(self._db, self._notices, ref.tenant, sight.conversation_id or "", message, bool(channel and channel.streams))
        try:
            async with drafting:
                thought = await while_wanted(self._ask_backend(sight, drafting), lambda: self._wanted(ref, sight))
        except NotWanted:
            await self._record(ref, sight, None, "discarded", began)
            return None
        except ModelRefused as error:
            thought = _sorry("model-refused", sight, reason=error.detail)
        except (ModelUnavailable, TimeoutError) as error:
            await self._record(ref, sight, None, "failed", began)
            if activity.info().attempt < self._limits.think_attempts:
                raise translated(error if isinstance(error, ModelUnavailable) else ModelUnavailable()) from None
            thought = _sorry("model-unavailable", sight)
        except SwitchboardError:
            raise
        except Exception:
            log.exception("think.failed", session=ref.session, turn=sight.next_turn, step=sight.next_step)
            if activity.info().attempt < self._limits.think_attempts:
                raise
            thought = _sorry("internal", sight)
        ended = await self._end(ref, sight, thought, message)
        await self._record(ref, sight, thought, "used" if ended.status == "committed" else "discarded", began)
        return self._after(ref, sight, ended)

    async def _wanted(self, ref: SessionRef, sight: Sight) -> bool:
        """Whether an answer to this look would still be taken."""
        async with self._db.transaction(ref.tenant) as tx:
            return await sessions.unchanged(tx, ref.session, sight.turn, sight.step)

    async def _ask_backend(self, sight: Sight, drafting: "Drafting") -> Thought:
        backend = self._backends.get(sight.agent.backend)
        if backend is None:
            raise ModelRefused(f"There is no backend named {sight.agent.backend}.")
        look = look_of(sight, self._tools)
        return await asyncio.wait_for(backend.think(look, drafting.show), self._limits.think_timeout)

    async def _end(self, ref: SessionRef, sight: Sight, thought: Thought, message: str) -> Ended:
        match thought.step:
            case Say() as say:
                return await self._say(ref, sight, say, message)
            case Call() as call:
                return await self._call(ref, sight, call)

    async def _say(self, ref: SessionRef, sight: Sight, say: Say, message: str) -> Ended:
        channel = self._channels[sight.channel or ""]
        replies: list[dict[str, Any]] = []
        for reply in say.replies or (Reply(text=text("nothing-to-say", sight.agent.language)),):
            words = reply.text.replace("\0", "").strip() or text("nothing-to-say", sight.agent.language)
            for piece in chunks(words, channel.chunk):
                replies.append({"id": message if not replies else new_id("msg"), "text": piece, "answers": list(reply.answers)})
        close = sight.mode == "one-shot"
        ended = await paid_for(
            lambda: sessions.end_with_say(self._db, _place(ref, sight), replies, commit_delivers=channel.commit_delivers, close=close)
        )
        self._notices.tell(ref.tenant, sight.conversation_id or "-")
        return ended

    async def _call(self, ref: SessionRef, sight: Sight, call: Call) -> Ended:
        rule, why_not = self._judge(sight, call)
        try:
            sha256 = arguments_sha256(call.arguments)
        except Invalid as error:
            rule, why_not, call, sha256 = Rule(gate="deny"), error.detail, call.model_copy(update={"arguments": {}}), arguments_sha256({})
        ended = await paid_for(
            lambda: sessions.end_with_call(
                self._db,
                _place(ref, sight),
                tool=call.tool,
                arguments=call.arguments,
                sha256=sha256,
                gate=rule.gate,
                ask=rule.asked(),
                result=why_not,
            )
        )
        return ended.model_copy(update={"sha256": sha256})

    def _judge(self, sight: Sight, call: Call) -> tuple[Rule, str | None]:
        """The gate of a call, and for a denied one the words the agent gets. What is not understood is denied."""
        use = next((u for u in map(ToolUse.model_validate, sight.agent.tools) if u.name == call.tool), None)
        tool = self._tools.get(call.tool)
        if use is None or tool is None:
            return Rule(gate="deny"), f"There is no tool named {call.tool}."
        try:
            tool.arguments.model_validate(dict(call.arguments))
        except ValueError as error:
            return Rule(gate="deny"), f"The arguments do not fit: {_first_fault(error)}"
        rule = rule_for(use, tool.gate, call.arguments, sight.mode, sight.plan_approved)
        if rule.gate != "deny":
            return rule, None
        no_plan = sight.mode == "planning-control" and not sight.plan_approved
        return rule, "A plan comes first: propose it with set_plan, and a human approves it." if no_plan else "This is not allowed here."

    def _after(self, ref: SessionRef, sight: Sight, ended: Ended) -> Looked | None:
        if ended.status == "refused":
            return self._looked("stop", sight, why="closed") if ended.next == "rest" else None
        self._wakes.wake(ref.tenant, "session", ended.wake_session)
        step = sight.next_step if ended.call_id else 0
        turn = sight.next_turn if ended.call_id or sight.conversation_id else sight.turn
        return Looked(
            next=ended.next or "more", turn=turn, step=step, id=ended.call_id or "", sha256=ended.sha256, due_at=ended.due_at,
            due_after=ended.due_after, asking=sight.asking, channel=sight.channel or "", linger=self._limits.linger,
            looks_before_continue=self._limits.looks_before_continue,
        )  # fmt: skip

    def _looked(self, next_: Any, sight: Sight | None, **more: Any) -> Looked:
        return Looked(
            next=next_, turn=sight.turn if sight else 0, step=sight.step if sight else 0, asking=bool(sight and sight.asking),
            channel=(sight.channel if sight else None) or "", linger=self._limits.linger,
            looks_before_continue=self._limits.looks_before_continue, **more,
        )  # fmt: skip

    async def _record(self, ref: SessionRef, sight: Sight, thought: Thought | None, outcome: str, began: float) -> None:
        if thought and not thought.usage:
            return
        usage = thought.usage if thought else None
        model = usage.model if usage else sight.agent.model
        async with self._db.transaction(ref.tenant) as tx:
            await sessions.record_request(
                tx, ref.session, turn=sight.next_turn, n=sight.next_step, attempt=activity.info().attempt, model=model,
                outcome=outcome, tokens_in=usage.tokens_in if usage else 0, tokens_out=usage.tokens_out if usage else 0,
                cost_usd=usage.cost_usd if usage else None, took=time.monotonic() - began,
            )  # fmt: skip


def _place(ref: SessionRef, sight: Sight) -> Place:
    assert sight.conversation_id is not None
    assert sight.upto is not None
    return Place(
        tenant=ref.tenant, session=ref.session, conversation=sight.conversation_id, turn=sight.next_turn, n=sight.next_step,
        upto=sight.upto, looked_at=sight.looked_at,
    )  # fmt: skip


def _sorry(key: str, sight: Sight, **values: Any) -> Thought:
    return Thought(step=Say(replies=(Reply(text=text(key, sight.agent.language, **values)),)))


def _first_fault(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
    return "they are malformed"
