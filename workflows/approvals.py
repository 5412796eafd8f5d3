"""ApprovalWorkflow: an approval's clock. It decides nothing; the verdict is Postgres's."""

from datetime import timedelta
from typing import Any

from temporalio import workflow

from domain.progress import ApprovalRef, Armed, Clocked
from workflows.options import SB_STATE, in_store

A_MOMENT = timedelta(seconds=1)
"""The shortest wait, so that two clocks that disagree a little cause no busy loop."""


@workflow.defn(name="ApprovalWorkflow")
class ApprovalWorkflow:
    """One approval. Poked or late, it reads again; so a forged signal approves nothing."""

    @workflow.init
    def __init__(self, ref: ApprovalRef) -> None:
        self._poked = True
        self._clock = Clocked(state="pending")

    @workflow.signal
    def decided(self) -> None:
        """The verdict may be there."""
        self._poked = True

    @workflow.signal
    def changed(self) -> None:
        """The deadline or the approvers may be others."""
        self._poked = True

    @workflow.query
    def state(self) -> dict[str, Any]:
        """The state as last read, when something is next due, and who is asked."""
        due = self._clock.deadline_at
        return {
            "state": self._clock.state,
            "verdict": self._clock.verdict,
            "next_due": due.isoformat() if due else None,
            "sent_to": list(self._clock.asked),
        }

    @workflow.run
    async def run(self, ref: ApprovalRef) -> str:
        """Waits for the verdict. Returns approved, denied, expired or cancelled."""
        while True:
            self._poked = False
            self._clock = clock = await in_store("read_clock", ref, Clocked, summary="approval: read state and deadline")
            if clock.state != "pending" or clock.deadline_at is None:
                return self._over(clock)
            workflow.set_current_details(f"Pending until {clock.deadline_at:%Y-%m-%d %H:%M:%S} UTC, then the default applies.")
            try:
                await workflow.wait_condition(lambda: self._poked, timeout=max(A_MOMENT, _left(clock)), timeout_summary="approval: its deadline")
            except TimeoutError:
                armed = Armed(ref.tenant, ref.approval, clock.deadline_at)
                self._clock = await in_store("expire", armed, Clocked, summary="approval: the deadline passed, apply the default")
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(ref)

    def _over(self, clock: Clocked) -> str:
        verdict = clock.verdict or "cancelled"
        workflow.set_current_details(f"Over: {verdict}.")
        workflow.upsert_search_attributes([SB_STATE.value_set(verdict)])
        return verdict


def _left(clock: Clocked) -> timedelta:
    """How long to wait: the span that the store measured, so that Temporal's clock need not be right. Earlier versions wrote only the deadline."""
    if clock.left_for is not None or clock.deadline_at is None:
        return timedelta(seconds=clock.left_for or 0)
    return clock.deadline_at - workflow.now()
