"""RoutingWorkflow: the durable decision where a conversation goes, while that is not settled."""

from datetime import timedelta

from temporalio import workflow

from domain.progress import ConversationRef, Routed
from workflows.options import SB_STATE, in_store, in_world

LINGER = timedelta(seconds=2)


@workflow.defn(name="RoutingWorkflow")
class RoutingWorkflow:
    """One undecided conversation. Its messages are held, in order, until it is settled."""

    @workflow.init
    def __init__(self, ref: ConversationRef) -> None:
        self._poked = True
        self._routed = Routed(outcome="again")

    @workflow.signal
    def wake(self) -> None:
        """A message came, or what the decision goes by has changed."""
        self._poked = True

    @workflow.query
    def state(self) -> dict[str, str]:
        """What it decided, and what it waits for."""
        return {"decided": self._routed.outcome, "waits_for": self._routed.why}

    @workflow.run
    async def run(self, ref: ConversationRef) -> str:
        """Decides until nobody pokes any more. Returns the outcome."""
        while True:
            self._poked = False
            self._routed = routed = await in_store("route", ref, Routed, summary="route: decide by admission and bindings")
            workflow.set_current_details(f"{routed.outcome.capitalize()}: {routed.why}." if routed.why else f"{routed.outcome.capitalize()}.")
            if routed.outcome == "deliver":
                await in_world("deliver", ref, str, summary="deliver: send what is not sent yet")
            elif routed.outcome != "again" and not await self._poked_again():
                workflow.upsert_search_attributes([SB_STATE.value_set(routed.outcome)])
                return routed.outcome
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(ref)

    async def _poked_again(self) -> bool:
        try:
            await workflow.wait_condition(lambda: self._poked, timeout=LINGER, timeout_summary="rest: until a message")
        except TimeoutError:
            return self._poked
        return True
