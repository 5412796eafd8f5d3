"""Act: carries out a call, once."""

from collections.abc import Mapping
from typing import Any

import structlog
from temporalio import activity

import traces
from activities import Wakes
from activities.beats import NotWanted, beating, paid_for, while_wanted
from activities.errors import edge
from activities.looking import Drafting
from agents import Hands, Tool
from agents.runner import run as run_tool
from agents.storable import clean_text
from domain.approvals import are_those_judged
from domain.errors import ArgumentsChanged, Refused, StoreUnavailable, SwitchboardError
from domain.progress import CallRef
from store import calls
from store import traces as traces_of
from store.calls import Begun, Writes
from store.notices import Notices
from store.pool import Database

log = structlog.get_logger()
TRIES = 3
"""How often a tool that breaks down inside our own transaction is tried before its call has failed."""
BROKE_DOWN = "The tool broke down; a member can see why in the log."
CHANGED = "The arguments are not those that were judged; nothing was done."
STOPPED = "It was stopped while it ran, because its turn was cancelled."


class Calls:
    """The act activity."""

    def __init__(self, db: Database, notices: Notices, wakes: Wakes, tools: Mapping[str, Tool]) -> None:
        self._db, self._notices, self._wakes, self._tools = db, notices, wakes, tools

    @activity.defn(name="act")
    @edge
    async def act(self, ref: CallRef) -> str:
        """Carries a call out if it may be and has not been; what an earlier attempt left open is repeated or asked about."""
        origins = await traces_of.of_call(self._db, ref.tenant, ref.call) if traces.are_on() else ()
        with traces.span("act", "consumer", origins=origins) as mark:
            mark.tell(tenant=ref.tenant, call=ref.call)
            outcome = await self._act(ref)
            mark.tell(outcome=outcome)
        return outcome

    async def _act(self, ref: CallRef) -> str:
        async with beating():
            async with self._db.transaction(ref.tenant) as tx:
                call = await calls.one(tx, ref.call)
            tool = self._tools.get(call.tool) if call else None
            if call is None:
                return "gone"
            if tool and tool.commits:
                return await self._commit(ref, tool, call.conversation_id)
            begun = await calls.start(self._db, ref.tenant, ref.call, activity.info().activity_id, ref.sha256)
            if begun.status not in ("started", "broken"):
                return begun.status
            if begun.status == "broken" and not (tool and tool.idempotent and await self._wanted(ref)):
                return await self._break_off(ref, tool)
            if not are_those_judged(begun.arguments or {}, ref.sha256):
                return await self._fail(ref, CHANGED)
            try:
                async with Drafting(self._db, self._notices, ref.tenant, call.conversation_id, ref.call, wanted=True):
                    result, failed = await while_wanted(self._carry_out(ref, tool, begun), lambda: self._wanted(ref))
            except NotWanted:
                return await self._break_off(ref, tool)
            await self._finish(ref, result, failed)
            return "failed" if failed else "done"

    async def _wanted(self, ref: CallRef) -> bool:
        async with self._db.transaction(ref.tenant) as tx:
            return await calls.wanted(tx, ref.call)

    async def _break_off(self, ref: CallRef, tool: Tool | None) -> str:
        """A call that began and will not be finished: nobody can say what became of it, unless repeating it would have been harmless."""
        async with self._db.transaction(ref.tenant) as tx:
            if tool and tool.idempotent:
                await calls.stop(tx, ref.call, STOPPED)
                return "cancelled"
            await calls.mark_unknown(tx, ref.call)
            return "unknown"

    async def _commit(self, ref: CallRef, tool: Tool, conversation: str) -> str:
        """A tool that only writes to our own Postgres: judged, done and finished in one commit."""
        try:
            async with self._db.transaction(ref.tenant) as tx:
                await tx.run("calls/lock_conversation", conversation=conversation)
                begun = await calls.start(tx, ref.tenant, ref.call, activity.info().activity_id, ref.sha256)
                if begun.status not in ("started", "broken"):
                    return begun.status
                if not are_those_judged(begun.arguments or {}, ref.sha256):
                    raise ArgumentsChanged(CHANGED)
                effects = Writes(tx, session=begun.session_id or "", conversation=conversation, call=ref.call)
                result = await run_tool(tool, dict(begun.arguments or {}), self._hands(ref, begun, effects))
                await calls.finish(tx, ref.tenant, ref.call, result, failed=False)
        except Refused as error:
            return await self._fail(ref, error.detail)
        except StoreUnavailable:
            raise
        except Exception:
            if activity.info().attempt < TRIES:
                raise
            log.exception("act.failed", call=ref.call, tool=tool.name)
            return await self._fail(ref, BROKE_DOWN)
        return "done"

    async def _fail(self, ref: CallRef, why: str) -> str:
        """What a transaction that was undone leaves to write down."""
        await calls.start(self._db, ref.tenant, ref.call, activity.info().activity_id, ref.sha256)
        await self._finish(ref, clean_text(why), True)
        return "failed"

    async def _carry_out(self, ref: CallRef, tool: Tool | None, begun: Begun) -> tuple[Any, bool]:
        if tool is None:
            return f"There is no tool named {begun.tool} any more.", True
        try:
            return await run_tool(tool, dict(begun.arguments or {}), self._hands(ref, begun, None)), False
        except SwitchboardError as error:
            return clean_text(error.detail), True
        except Exception:
            log.exception("act.failed", call=ref.call, tool=tool.name)
            return BROKE_DOWN, True

    async def _finish(self, ref: CallRef, result: Any, failed: bool) -> None:
        decision = await paid_for(lambda: calls.finish(self._db, ref.tenant, ref.call, result, failed=failed))
        self._wakes.wake(ref.tenant, decision.wake, decision.wake_id)

    def _hands(self, ref: CallRef, begun: Begun, effects: Writes | None) -> Hands:
        return Hands(
            tenant_id=ref.tenant,
            session_id=begun.session_id or "",
            conversation_id=begun.conversation_id or "",
            idempotency_key=ref.call,
            now=activity.info().started_time,
            effects=effects,
        )
