"""An approval's clock: it expires on time whatever happens to its workflow, and it decides nothing."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.common import SearchAttributeKey

from domain.ids import approval_workflow, routing_workflow, session_workflow
from tests.journeys import deeds
from tests.world import World

SOON = {"gate": "ask", "within": 1.5}


async def _asked(live: World, text: str = "refund 5 to Ada") -> dict[str, Any]:
    await live.say(text)
    return await live.until("select * from approvals where tenant_id = %s order by id desc limit 1")


async def _result(live: World, approval: dict[str, Any]) -> Any:
    return await deeds.completed(live, approval_workflow(live.tenant, approval["id"]))


@pytest.mark.parametrize(("on_timeout", "verdict", "refunds"), [("deny", "expired", 0), ("approve", "approved", 1), ("cancel", "cancelled", 0)])
async def test_when_time_is_up_the_default_applies_and_is_told(live: World, on_timeout: str, verdict: str, refunds: int) -> None:
    deeds.rules(live, SOON | {"on_timeout": on_timeout})
    approval = await _asked(live)

    told = await deeds.verdict_told(live, approval["id"])

    assert verdict in told
    assert "5" in told
    row = live.rows("select * from approvals where tenant_id = %s")[0]
    assert (row["verdict"], row["decided_by"]) == (verdict, "policy")
    assert row["decided_at"] >= row["deadline_at"]
    assert len(live.rows("select 1 from demo_refunds where tenant_id = %s")) == refunds
    assert await _result(live, approval) == verdict


async def test_a_click_after_the_deadline_gets_expired(live: World) -> None:
    deeds.rules(live, SOON)
    approval = await _asked(live)
    await live.until("select 1 from approvals where tenant_id = %s and deadline_at < clock_timestamp()")

    at_once = await deeds.decide(live, approval["id"], "approved")
    await deeds.verdict_told(live, approval["id"])
    later = await deeds.decide(live, approval["id"], "approved")

    assert [(answer.status_code, answer.json()["code"]) for answer in (at_once, later)] == [(409, "expired")] * 2
    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == []


async def test_the_workflows_result_is_the_verdict(live: World) -> None:
    for verdict in ("approved", "denied"):
        approval = await _asked(live, f"refund {len(verdict)} to Ada")
        await deeds.decide(live, approval["id"], verdict)
        assert await _result(live, approval) == verdict


async def test_a_terminated_clock_is_started_again_by_the_sweep_and_still_expires(live: World) -> None:
    deeds.rules(live, {"gate": "ask", "within": 10})
    approval = await _asked(live)
    id_ = approval_workflow(live.tenant, approval["id"])
    await live.until("select 1 from approvals where tenant_id = %s and wake_at > deadline_at")
    await deeds.workflow(live, id_).terminate("a test")

    assert "expired" in await deeds.verdict_told(live, approval["id"])

    row = live.rows("select * from approvals where tenant_id = %s")[0]
    assert row["decided_at"] >= row["deadline_at"]
    assert await _result(live, approval) == "expired"


async def test_a_forged_signal_decides_nothing(live: World) -> None:
    approval = await _asked(live)
    handle = deeds.workflow(live, approval_workflow(live.tenant, approval["id"]))

    await handle.signal("decided", {"verdict": "approved", "approval": approval["id"]})
    await handle.signal("decided", "approved")
    await deeds.workflow(live, session_workflow(live.tenant, approval["session_id"])).signal("wake", "approved")

    assert (await handle.query("state"))["state"] == "pending"
    assert (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
    assert live.rows("select state from calls where tenant_id = %s") == [{"state": "waiting"}]
    assert await live.say("echo still") == "still"
    assert live.rows("select 1 from demo_refunds where tenant_id = %s") == []


async def test_a_programs_approval_is_waited_for_over_http_and_by_its_workflow(live: World) -> None:
    asked = (await live.api.post("/v1/approvals", json={"action": "deploy", "approvers": ["owner"], "allow_self": True})).json()

    assert (await live.api.get(f"/v1/approvals/{asked['id']}?wait=0.3")).json()["state"] == "pending"
    waiting = asyncio.create_task(live.api.get(f"/v1/approvals/{asked['id']}?wait=60"))  # longer than this client waits for anything
    await deeds.decide(live, asked["id"], "approved")

    assert (await waiting).json()["verdict"] == "approved"
    assert await deeds.completed(live, asked["workflow_id"]) == "approved"


async def test_ids_and_search_attributes_are_those_of_the_contract(live: World) -> None:
    approval = await _asked(live)
    conversation = approval["conversation_id"]
    ids = {
        "session": session_workflow(live.tenant, approval["session_id"]),
        "routing": routing_workflow(live.tenant, conversation),
        "approval": approval_workflow(live.tenant, approval["id"]),
    }
    assert ids == {kind: f"{kind}/{live.tenant}/{ids[kind].rpartition('/')[2]}" for kind in ids}

    states = {}
    for kind, id_ in ids.items():
        found = (await deeds.workflow(live, id_).describe()).typed_search_attributes
        said = {name: found.get(SearchAttributeKey.for_keyword(name)) for name in ("SbTenant", "SbKind", "SbState")}
        assert (said["SbTenant"], said["SbKind"]) == (live.tenant, kind)
        states[kind] = said["SbState"]
    assert states["approval"] == "pending"
    await deeds.decide(live, approval["id"], "denied")
    await _result(live, approval)
    after = (await deeds.workflow(live, ids["approval"]).describe()).typed_search_attributes
    assert after.get(SearchAttributeKey.for_keyword("SbState")) == "denied"
    assert datetime.now(UTC) < approval["deadline_at"]
