"""What an operator reads in Temporal's web UI: a summary at every workflow, activity and timer, in the glossary's words; details that say what is."""

import re

from temporalio.api.enums.v1 import EventType

from domain.ids import approval_workflow, routing_workflow, session_workflow
from tests.journeys import deeds
from tests.workflows.histories import comes_to, details, runs, summary_of
from tests.world import World

NOUNS = "approval session routing call turn step message binding admission verdict deadline state conversation route"
VERBS = "think act ask deliver announce decide remind escalate expire pause resume close link accept settle admit rest look read send open"
FORMS = "apply carry wait thinks acts delivers rests decides waits sent passed look waits became goes due"
SMALL = "a an the and or of for by with to in on out its what where this then after until before is not yet bindings default another number"
GLOSSARY = frozenset(f"{NOUNS} {VERBS} {FORMS} {SMALL}".split())

KINDS = (EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED, EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, EventType.EVENT_TYPE_TIMER_STARTED)


async def _a_day(world: World) -> None:
    """Everything a tenant's workflows do."""
    await world.say("echo hello")
    await world.say("remember a=1")
    await world.say("refund 5 to Ada")
    await world.say("follow up in 9 days: x")
    approval = await world.pending_approval()
    await deeds.decide(world, approval["id"], "approved")
    await deeds.verdict_told(world, approval["id"])
    await deeds.completed(world, approval_workflow(world.tenant, approval["id"]))


async def test_every_summary_is_in_the_glossarys_words(live: World) -> None:
    await _a_day(live)
    await deeds.rests(live, await deeds.session_of(live))

    seen = [
        (run.kind, summary_of(event)) async for run in runs(live.parts.temporal, live.tenant) for event in run.events if event.event_type in KINDS
    ]

    assert {kind for kind, _ in seen} == {"SessionWorkflow", "RoutingWorkflow", "ApprovalWorkflow"}
    assert [kind for kind, summary in seen if not summary] == []
    words = {word for _, summary in seen for word in re.findall(r"[a-z]+", summary.lower())}
    assert words - GLOSSARY == set()
    assert max(len(summary) for _, summary in seen) <= 100


async def test_details_say_what_is(live: World) -> None:
    await live.say("refund 5 to Ada")
    asked = await live.pending_approval()
    approval, conversation = approval_workflow(live.tenant, asked["id"]), routing_workflow(live.tenant, asked["conversation_id"])

    async def told(id_: str, wanted: str) -> None:
        await comes_to(wanted, lambda: details(live.parts.temporal, id_))

    rests = "Rests after turn 1; an approval is open. A message or the verdict wakes it."
    await told(session_workflow(live.tenant, asked["session_id"]), rests)
    await told(conversation, f"Settled: to {asked['session_id']}.")
    await told(approval, f"Pending until {asked['deadline_at']:%Y-%m-%d %H:%M:%S} UTC, then the default applies.")
    await deeds.decide(live, asked["id"], "denied")
    await deeds.completed(live, approval)
    await told(approval, "Over: denied.")
