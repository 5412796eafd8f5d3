"""Approvals: opened for a call, read by their clock, expired by it."""

from temporalio import activity

from activities import Pokes, Wakes
from activities.errors import edge
from domain.approvals import named_by_id
from domain.errors import NotFound
from domain.progress import ApprovalRef, Armed, CallRef, Clocked
from store import approvals, calls
from store.notices import Notices
from store.pool import Database


class Approvals:
    """The activities of an approval's life. `within` is the default span, in seconds, a human has to decide."""

    def __init__(self, db: Database, pokes: Pokes, inbox: Wakes, notices: Notices, within: float) -> None:
        self._db, self._pokes, self._inbox, self._notices, self._within = db, pokes, inbox, notices, within

    @activity.defn(name="ask")
    @edge
    async def ask(self, ref: CallRef) -> str:
        """Opens the approval of a call (or the question what became of it), once, and starts its clock. Returns its id, or nothing."""
        async with self._db.transaction(ref.tenant) as tx:
            call = await calls.one(tx, ref.call)
        if call is None:
            raise NotFound
        gate = ref.purpose == "gate"
        ask = call.ask
        approval = await approvals.open_for_call(
            self._db, ref.tenant, ref.call, ref.purpose,
            kind="approve" if gate else "choose", action=call.tool, requester=call.session_id,
            approvers=ask.get("approvers") or {"of": ["owner"], "quorum": 1, "sequence": False}, allow_self=bool(ask.get("allow_self")),
            options=None if gate else ["done", "not done"], within=(ask.get("within") if gate else None) or self._within,
            on_timeout=ask.get("on_timeout", "deny") if gate else "deny",
        )  # fmt: skip
        if approval:
            self._notices.tell(ref.tenant, call.conversation_id)
            await self._pokes.approval(ref.tenant, approval)
        return approval or ""

    @activity.defn(name="read_clock")
    @edge
    async def read_clock(self, ref: ApprovalRef) -> Clocked:
        """What an approval's clock goes by now."""
        async with self._db.transaction(ref.tenant) as tx:
            clock = await approvals.clock(tx, ref.approval)
            await approvals.keep_clock(tx, ref.approval)
        if clock is None:
            return Clocked(state="gone")
        asked = named_by_id(clock.approvers.get("of", ()))
        return Clocked(state=clock.state, verdict=clock.verdict, deadline_at=clock.deadline_at, left_for=clock.left_for, asked=asked)  # type: ignore[arg-type]

    @activity.defn(name="expire")
    @edge
    async def expire(self, armed: Armed) -> Clocked:
        """Applies the default where the deadline is still the armed one, and wakes the session that asked."""
        decision = await approvals.expire(self._db, armed.tenant, armed.approval, armed.deadline_at)
        self._inbox.wake(armed.tenant, decision.wake, decision.wake_id)
        self._notices.tell(armed.tenant)
        return Clocked(state=decision.state or "pending", verdict=decision.verdict)  # type: ignore[arg-type]
