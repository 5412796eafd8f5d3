"""Where a conversation goes: held until it is decided, then answered in order; the most specific binding wins."""

from typing import Any

from domain.ids import routing_workflow, session_workflow
from tests.journeys import deeds
from tests.workflows.histories import comes_to
from tests.world import World

INBOUND = "select m.state from messages m where m.tenant_id = %s and m.direction = 'inbound' order by m.seq"


async def _agent(live: World, name: str) -> None:
    """Another agent: the same backend, but with a tool less, by which it is known."""
    answer = await live.api.post("/v1/agents", json={"name": name, "backend": "scripted"})
    assert answer.status_code == 201, answer.text


async def _bind(live: World, **binding: Any) -> str:
    answer = await live.api.post("/v1/bindings", json=binding)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def _unbind(live: World) -> None:
    for binding in (await live.api.get("/v1/bindings")).json()["items"]:
        assert (await live.api.delete(f"/v1/bindings/{binding['id']}")).status_code == 204


async def _agent_of(live: World, chat: str) -> str:
    row = await live.until(
        "select a.name from conversations c join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id"
        " join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id where c.tenant_id = %s and c.chat = %s",
        chat,
    )
    return str(row["name"])


def _admission(live: World, word: str) -> None:
    live.sql.execute("update accounts set admission = %s where tenant_id = %s", (word, live.tenant))


async def _left(live: World, state: str) -> str:
    return str((await live.until("select id from conversations where tenant_id = %s and state = %s and wake_at is null", state))["id"])


async def test_what_no_binding_matches_is_held_until_one_comes_and_then_answered_in_order(live: World) -> None:
    await _unbind(live)
    written = [await live.write(f"echo {n}") for n in range(3)]
    conversation = await _left(live, "unbound")
    assert live.rows(INBOUND) == [{"state": "held"}] * 3
    assert await deeds.completed(live, routing_workflow(live.tenant, conversation)) == "unbound"

    await _bind(live, account="web", agent="demo")

    assert [await live.answer(message) for message in written] == ["0", "1", "2"]


async def test_closed_stores_in_silence(live: World) -> None:
    _admission(live, "closed")
    await live.write("echo hello")
    await _left(live, "held")

    assert live.rows(INBOUND) == [{"state": "held"}]
    assert deeds.said(live) == []
    assert live.rows("select 1 from sessions where tenant_id = %s") == []


async def test_a_stranger_is_held_until_a_member_admits_them_and_then_known(live: World) -> None:
    _admission(live, "ask")
    written = [await live.write(text) for text in ("echo 1", "echo 2")]
    conversation = await _left(live, "held")
    await live.write("echo other", chat="another stranger")

    answer = await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})

    assert answer.status_code == 200
    assert [await live.answer(message) for message in written] == ["1", "2"]
    assert await live.say("echo 3") == "3"
    assert deeds.said(live, "another stranger") == []


async def test_a_stranger_who_is_refused_stays_refused(live: World) -> None:
    _admission(live, "ask")
    await live.write("echo 1")
    conversation = await _left(live, "held")

    await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "refuse"})
    await live.write("echo 2")

    await live.until("select 1 from messages where tenant_id = %s having count(*) filter (where state = 'refused') = 2")
    assert deeds.said(live) == []


async def test_whoever_is_blocked_is_refused_even_where_all_are_let_in(live: World) -> None:
    await live.say("echo before", chat="pest")
    live.sql.execute("insert into people (tenant_id, id, name, tier) values (%s, 'per_pest', 'Pest', 'blocked')", (live.tenant,))
    live.sql.execute("update peers set person_id = 'per_pest' where tenant_id = %s and external_id = 'pest'", (live.tenant,))
    await deeds.close(live, await deeds.session_of(live, "pest"))

    blocked = await live.write("echo after", chat="pest")

    await live.until("select 1 from messages where tenant_id = %s and id = %s and state = 'refused'", blocked.message_id)


async def test_the_most_specific_binding_decides(live: World) -> None:
    for name in ("any", "team", "team a", "one"):
        await _agent(live, name)
    await _bind(live, agent="any")
    await _bind(live, agent="team", chat="team-*")
    await _bind(live, agent="team a", chat="team-a*")
    await _bind(live, agent="one", chat="team-a1", account="web")

    for chat in ("team-a1", "team-a2", "team-b", "somebody"):
        await live.say("echo hello", chat=chat)

    assert [await _agent_of(live, chat) for chat in ("team-a1", "team-a2", "team-b", "somebody")] == ["one", "team a", "team", "demo"]


async def test_a_change_of_route_waits_for_the_end_of_an_open_turn(live: World) -> None:
    await _agent(live, "other")
    slow = await live.write("slow 2 by the first")
    await deeds.running_call(live)
    first = await deeds.session_of(live)

    await _bind(live, agent="other", account="web", chat="visitor")
    conversation = slow.conversation_id
    await live.until("select 1 from conversations where tenant_id = %s and id = %s and next_session_id is not null", conversation)
    assert await _agent_of(live, "visitor") == "demo"
    later = await live.write("echo by the second")

    assert [await live.answer(message) for message in (slow, later)] == ["by the first", "by the second"]
    assert await _agent_of(live, "visitor") == "other"
    assert [
        row["session_id"] == first for row in live.rows("select session_id from messages where tenant_id = %s and direction = 'inbound' order by seq")
    ] == [True, False]


async def test_a_change_of_route_that_waits_is_applied_when_the_turn_is_cancelled(live: World) -> None:
    await _agent(live, "other")
    slow = await live.write("slow 30 by the first")
    await deeds.running_call(live)
    await _bind(live, agent="other", account="web", chat="visitor")
    await live.until("select 1 from conversations where tenant_id = %s and id = %s and next_session_id is not null", slow.conversation_id)

    await deeds.cancel_turn(live, await deeds.session_of(live))

    assert await live.say("echo by the second") == "by the second"
    assert await _agent_of(live, "visitor") == "other"


async def test_an_approval_that_was_asked_before_a_change_of_route_is_still_carried_out_once(live: World) -> None:
    await _agent(live, "other")
    await live.say("refund 8 to Ada")
    approval = await live.pending_approval()
    await _bind(live, agent="other", account="web", chat="visitor")
    await live.until(
        "select 1 from conversations c join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id where c.tenant_id = %s and s.id <> %s",
        approval["session_id"],
    )
    await deeds.suspend(live, approval["session_id"])

    await deeds.decide(live, approval["id"], "approved")

    assert "approved" in await deeds.verdict_told(live, approval["id"])
    assert len(live.rows("select 1 from demo_refunds where tenant_id = %s")) == 1


async def test_the_state_says_what_was_decided_and_what_is_waited_for(live: World) -> None:
    _admission(live, "ask")
    await live.write("echo hello")
    conversation = await _left(live, "held")

    routing = deeds.workflow(live, routing_workflow(live.tenant, conversation))
    await comes_to({"decided": "held", "waits_for": "waits to be admitted"}, lambda: routing.query("state"))
    await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})
    session = await deeds.session_of(live)
    await live.until("select 1 from messages where tenant_id = %s and state = 'answered'")
    assert {"phase", "turn", "step"} <= set(await deeds.workflow(live, session_workflow(live.tenant, session)).query("state"))
