"""Nothing that anyone sends to a workflow wedges it, and its queries answer as the contract says."""

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import RawValue

from domain.ids import approval_workflow, routing_workflow, session_workflow
from tests.journeys import deeds
from tests.workflows.histories import comes_to
from tests.world import World

ODD: list[list[Any]] = [
    [],
    [None],
    ["text"],
    [{"turn": 7}, [1, 2], "three", 4.5],
    [b"\x00\xff"],
    [RawValue(Payload(metadata={"encoding": b"nobody/knows"}, data=b"\xff\xfe"))],
    [RawValue(Payload(metadata={"encoding": b"json/plain"}, data=b"{not json"))],
    [RawValue(Payload(metadata={}, data=b""))],
    ["x" * 100_000],
]


async def _three(live: World) -> dict[str, str]:
    """A session, a routing and an approval that run."""
    live.sql.execute("update accounts set admission = 'ask' where tenant_id = %s", (live.tenant,))
    held = await live.write("echo held", chat="stranger")
    live.sql.execute("update conversations set state = 'undecided' where tenant_id = %s", (live.tenant,))
    live.sql.execute("update accounts set admission = 'open' where tenant_id = %s", (live.tenant,))
    await live.say("refund 5 to Ada")
    approval = await live.pending_approval()
    return {
        "routing": routing_workflow(live.tenant, held.conversation_id),
        "session": session_workflow(live.tenant, approval["session_id"]),
        "approval": approval_workflow(live.tenant, approval["id"]),
    }


async def test_signals_with_odd_payloads_wedge_nothing(live: World) -> None:
    ids = await _three(live)
    signals = {"routing": ("wake", "unheard-of"), "session": ("wake", "cancel"), "approval": ("decided", "changed", "approve")}

    for kind, names in signals.items():
        await live.parts.pokes.session(live.tenant, ids["session"].rpartition("/")[2])
        if kind == "routing":
            await live.parts.pokes.routing(live.tenant, ids["routing"].rpartition("/")[2])
        for name in names:
            for arguments in ODD:
                await deeds.workflow(live, ids[kind]).signal(name, args=arguments)

    assert await live.say("echo alive") == "alive"
    assert (await deeds.workflow(live, ids["approval"]).query("state"))["state"] == "pending"
    await deeds.decide(live, ids["approval"].rpartition("/")[2], "denied")
    assert await deeds.completed(live, ids["approval"]) == "denied"
    for kind in ("routing", "session"):
        await deeds.completed(live, ids[kind])
        assert await deeds.status(live, ids[kind]) is WorkflowExecutionStatus.COMPLETED
    for id_ in ids.values():
        events = [event async for event in deeds.workflow(live, id_).fetch_history_events()]
        assert not [event for event in events if event.HasField("workflow_task_failed_event_attributes")]


async def _phase(live: World, session: str) -> str:
    return str((await deeds.workflow(live, session_workflow(live.tenant, session)).query("state"))["phase"])


async def test_queries_have_the_contracts_fields(live: World) -> None:
    ids = await _three(live)
    wanted = {"routing": {"decided", "waits_for"}, "session": {"phase", "turn", "step"}, "approval": {"state", "next_due", "sent_to"}}
    await comes_to("awaiting_approval", lambda: _phase(live, ids["session"].rpartition("/")[2]))

    states = {kind: await deeds.workflow(live, ids[kind]).query("state") for kind in wanted}

    assert [kind for kind, fields in wanted.items() if fields - set(states[kind])] == []
    assert states["session"]["turn"] == 1
    assert states["approval"]["sent_to"] == ["owner"]
    assert states["approval"]["next_due"] == (await live.pending_approval())["deadline_at"].isoformat()


@pytest.mark.parametrize(("do", "phase"), [("suspend", "suspended"), ("close", "closed")])
async def test_the_phase_is_one_of_the_contracts_words(live: World, do: str, phase: str) -> None:
    await live.say("echo hello")
    session = await deeds.session_of(live)
    await comes_to("idle", lambda: _phase(live, session))

    await {"suspend": deeds.suspend, "close": deeds.close}[do](live, session)
    await deeds.rests(live, session)

    assert await _phase(live, session) == phase


async def test_the_phase_is_active_while_a_tool_runs(live: World) -> None:
    await live.write("slow 2 x")
    await deeds.running_call(live)

    state = await deeds.workflow(live, session_workflow(live.tenant, await deeds.session_of(live))).query("state")

    assert (state["phase"], state["turn"], state["step"]) == ("active", 1, 1)
