"""SessionWorkflow: a session's life while there is something to do. It looks, does what is next, rests, and returns."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any

from temporalio import workflow

from domain.progress import CallRef, ConversationRef, Looked, SessionRef
from workflows.options import SB_CHANNEL, SB_STATE, in_store, in_world


@workflow.defn(name="SessionWorkflow")
class SessionWorkflow:
    """One session. A signal is a poke without content; everything is found by looking, so nothing is lost when a run ends."""

    @workflow.init
    def __init__(self, ref: SessionRef) -> None:
        self._poked = True
        self._looks = 0
        self._last = Looked(next="more")
        self._channel = ""
        self._timer: asyncio.Task[None] | None = None

    @workflow.signal
    def wake(self) -> None:
        """Something changed: look again."""
        self._poked = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """Phase, turn and step, as of the last look."""
        return {"phase": _phase(self._last), "turn": self._last.turn, "step": self._last.step, "looks": self._looks}

    @workflow.run
    async def run(self, ref: SessionRef) -> str:
        """Lives until nothing came for the linger. Returns why it stopped: rest, or the reason the session may not go on."""
        while True:
            self._poked = False
            self._last = looked = await in_world("think", ref, Looked, summary=self._summary())
            self._looks += 1
            workflow.set_current_details(_details(looked))
            self._tag(looked.channel)
            match looked.next:
                case "act":
                    call = CallRef(ref.tenant, looked.id, looked.sha256)
                    if await in_world("act", call, str, summary=f"act: turn {looked.turn}, carry out the call") == "unknown":
                        await self._ask(CallRef(ref.tenant, looked.id, purpose="outcome"))
                case "ask":
                    await self._ask(CallRef(ref.tenant, looked.id, purpose=looked.purpose))
                case "deliver":
                    await in_world("deliver", ConversationRef(ref.tenant, looked.id), str, summary="deliver: send what is not sent yet")
                case "more":
                    pass
                case "wait" | "rest":
                    if not await self._linger(looked):
                        return self._over(looked)
                case "stop":
                    if not self._poked:
                        return self._over(looked)
            if self._rolls_over(looked):
                workflow.continue_as_new(ref)

    def _tag(self, channel: str) -> None:
        """Makes the run findable by its channel, once it is known: one event a run."""
        if channel and channel != self._channel:
            self._channel = channel
            workflow.upsert_search_attributes([SB_CHANNEL.value_set(channel)])

    async def _ask(self, call: CallRef) -> None:
        what = "open the approval" if call.purpose == "gate" else "what became of the call"
        await in_store("ask", call, str, summary=f"ask: turn {self._last.turn}, {what}")

    def _over(self, looked: Looked) -> str:
        workflow.upsert_search_attributes([SB_STATE.value_set(_phase_at_rest(looked))])
        return looked.why or "rest"

    async def _linger(self, looked: Looked) -> bool:
        """Waits for a poke or for what is due soon; false when neither came. No await between the last look at the poke and the return."""
        due = _due_after(looked)
        if due is None or due > looked.linger:
            return await self._rest(timedelta(seconds=looked.linger))
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(lambda: self._poked, timeout=timedelta(seconds=due), timeout_summary="rest: until it is due")
        return True

    async def _rest(self, span: timedelta) -> bool:
        """Whether a poke comes within this span. One timer goes on over many turns: a busy session starts one a linger, not one a turn."""
        ends = workflow.now() + span
        while not self._poked and workflow.now() < ends:
            if self._timer_is_over():
                self._timer = asyncio.create_task(workflow.sleep(ends - workflow.now(), summary="rest: until a message"))
            await workflow.wait_condition(lambda: self._poked or self._timer_is_over())
        return self._poked

    def _timer_is_over(self) -> bool:
        return self._timer is None or self._timer.done()

    def _rolls_over(self, looked: Looked) -> bool:
        limit = looked.looks_before_continue
        return workflow.info().is_continue_as_new_suggested() or 0 < limit <= self._looks

    def _summary(self) -> str:
        if self._last.step:
            return f"think: turn {self._last.turn}, after step {self._last.step}"
        return f"think: look what is due after turn {self._last.turn}"


def _due_after(looked: Looked) -> float | None:
    """Seconds until something is due, as the store measured them: Temporal's clock need not be right. Earlier versions wrote only the time."""
    after = looked.due_after
    if after is None and looked.due_at:
        after = (looked.due_at - workflow.now()).total_seconds()
    return None if after is None else max(0.0, after)


def _phase(looked: Looked) -> str:
    return _phase_at_rest(looked) if looked.next in ("stop", "wait", "rest") else "active"


def _phase_at_rest(looked: Looked) -> str:
    """The phase a run leaves its session in, by which it is found once it is over."""
    if looked.next == "stop":
        return looked.why if looked.why in ("suspended", "handed_off") else "closed"
    return "awaiting_approval" if looked.asking else "idle"


def _details(looked: Looked) -> str:
    match looked.next:
        case "act":
            return f"Turn {looked.turn}: step {looked.step} calls a tool ({looked.id})."
        case "ask":
            return f"Turn {looked.turn}: step {looked.step} waits for an approval to be opened."
        case "deliver":
            return f"Delivers in {looked.id}."
        case "more":
            return f"Turn {looked.turn} goes on."
        case "wait":
            return f"Rests after turn {looked.turn} until {looked.due_at:%Y-%m-%d %H:%M:%S} UTC, or a message."
        case "rest" if looked.asking:
            return f"Rests after turn {looked.turn}; an approval is open. A message or the verdict wakes it."
        case "rest":
            return f"Rests after turn {looked.turn}; a message wakes it."
        case "stop":
            return f"Stopped: {looked.why}. A member resumes it, or it is over."
