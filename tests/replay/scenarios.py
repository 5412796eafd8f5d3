"""Every path of every workflow, gone on a real stack and recorded by `python -m tests.replay.record`; no part of the usual run.

What people write holds the word GHERKIN, so that a history that holds any of it is found out.
"""

import json

from domain.ids import approval_workflow, routing_workflow
from tests.journeys import deeds
from tests.journeys.receiver import Answer, Receiver
from tests.journeys.wire import wired
from tests.world import World

GHERKIN = "gherkin"
SOON = {"gate": "ask", "within": 1.5}


async def _asked(path: World) -> str:
    await path.say(f"refund 5 to {GHERKIN}")
    return str((await path.pending_approval())["id"])


async def _result(path: World, approval: str) -> None:
    await deeds.completed(path, approval_workflow(path.tenant, approval))


async def test_reply(path: World) -> None:
    await path.say(f"echo {GHERKIN}")


async def test_replies_within_the_linger(path: World) -> None:
    for n in range(3):
        await path.say(f"echo {GHERKIN} {n}")


async def test_several_at_once(path: World) -> None:
    for message in [await path.write(f"echo {GHERKIN} {n}") for n in range(4)]:
        await path.answer(message)


async def test_a_tool(path: World) -> None:
    await path.say(f"slow 1 {GHERKIN}")


async def test_a_plan_of_several_steps(path: World) -> None:
    await path.say(f"plan {GHERKIN}; slice; serve")


async def test_a_plan_that_is_approved_first(path: World) -> None:
    deeds.use(path, mode="planning-control")
    await path.write(f"plan {GHERKIN}; slice")
    approval = str((await path.pending_approval())["id"])
    await deeds.decide(path, approval, "approved")
    await deeds.verdict_told(path, approval)


async def test_approved(path: World) -> None:
    approval = await _asked(path)
    await deeds.decide(path, approval, "approved", comment=GHERKIN)
    await deeds.verdict_told(path, approval)
    await _result(path, approval)


async def test_approved_while_the_session_sleeps(path: World) -> None:
    approval = await _asked(path)
    await deeds.rests(path, await deeds.session_of(path))
    await deeds.decide(path, approval, "approved")
    await deeds.verdict_told(path, approval)
    await _result(path, approval)


async def test_denied(path: World) -> None:
    approval = await _asked(path)
    await deeds.decide(path, approval, "denied")
    await deeds.verdict_told(path, approval)
    await _result(path, approval)


async def test_expired(path: World) -> None:
    deeds.rules(path, SOON)
    approval = await _asked(path)
    await deeds.verdict_told(path, approval)
    await _result(path, approval)


async def test_approved_by_default(path: World) -> None:
    deeds.rules(path, SOON | {"on_timeout": "approve"})
    approval = await _asked(path)
    await deeds.verdict_told(path, approval)
    await _result(path, approval)


async def test_extended(path: World) -> None:
    approval = await _asked(path)
    path.sql.execute("update approvals set deadline_at = deadline_at + interval '1 h' where tenant_id = %s", (path.tenant,))
    await deeds.workflow(path, approval_workflow(path.tenant, approval)).signal("changed")
    await deeds.decide(path, approval, "approved")
    await _result(path, approval)


async def test_still_open(path: World) -> None:
    await _asked(path)


async def test_a_programs_question(path: World) -> None:
    asked = {"action": GHERKIN, "approvers": ["owner"], "allow_self": True}
    approval = (await path.api.post("/v1/approvals", json=asked)).json()["id"]
    await deeds.decide(path, approval, "denied")
    await _result(path, approval)


async def test_closed_with_an_approval_open(path: World) -> None:
    approval = await _asked(path)
    await deeds.close(path, await deeds.session_of(path))
    await _result(path, approval)


async def test_suspended_and_resumed(path: World) -> None:
    await path.say(f"echo {GHERKIN}")
    session = await deeds.session_of(path)
    await deeds.suspend(path, session)
    message = await path.write(f"echo {GHERKIN} later")
    await deeds.rests(path, session)
    await deeds.resume(path, session)
    await path.answer(message)


async def test_suspended_within_a_turn(path: World) -> None:
    message = await path.write(f"slow 1 {GHERKIN}")
    await deeds.running_call(path)
    session = await deeds.session_of(path)
    await deeds.suspend(path, session)
    await deeds.rests(path, session)
    await deeds.resume(path, session)
    await path.answer(message)


async def test_a_turn_that_is_cancelled(path: World) -> None:
    await path.write(f"slow 5 {GHERKIN}")
    await deeds.running_call(path)
    await deeds.cancel_turn(path, await deeds.session_of(path))
    await path.say(f"echo {GHERKIN} again")


async def test_answered_once_and_closed(path: World) -> None:
    deeds.use(path, mode="one-shot")
    await path.say(f"echo {GHERKIN}")


async def test_a_follow_up_within_the_linger(path: World) -> None:
    await path.say(f"follow up in 1 second: {GHERKIN}")
    await path.answer(str((await path.until("select id from messages where tenant_id = %s and kind = 'timer'"))["id"]))


async def test_a_follow_up_in_days(path: World) -> None:
    await path.say(f"follow up in 3 days: {GHERKIN}")


async def test_collected_by_debounce(path: World) -> None:
    path.sql.execute("update accounts set debounce = 0.7 where tenant_id = %s", (path.tenant,))
    for message in [await path.write(f"echo {GHERKIN} {n}") for n in range(3)]:
        await path.answer(message)


async def test_a_backend_that_fails_again_and_again(path: World) -> None:
    deeds.use(path, backend="puppet")
    await path.write(json.dumps([{"raise": "bug", "say": GHERKIN}]))
    await path.until("select 1 from messages where tenant_id = %s and direction = 'inbound' and state <> 'pending'")


async def test_what_became_of_a_call_is_asked(path: World) -> None:
    deeds.use(path, backend="puppet", tools=json.dumps([{"name": "post", "rules": [{"gate": "ask"}]}]))
    await path.say(json.dumps([{"call": "post", "with": {"words": GHERKIN}}, {"say": "{}"}]))
    gate = str((await path.pending_approval())["id"])
    path.sql.execute("update calls set state = 'started', started_by = 'an attempt that is gone' where tenant_id = %s", (path.tenant,))
    await deeds.decide(path, gate, "approved")
    question = await path.until("select id from approvals where tenant_id = %s and purpose = 'outcome' and state = 'pending'")
    await deeds.decide(path, str(question["id"]), "approved", answer="done")
    await deeds.verdict_told(path, str(question["id"]))


async def test_delivered_over_a_wire(path: World, receiver: Receiver) -> None:
    wire = await wired(path, receiver)
    await wire.write(f"echo {GHERKIN}")
    await wire.outbound(GHERKIN, "sent")


async def test_delivered_at_the_second_try(path: World, receiver: Receiver) -> None:
    wire = await wired(path, receiver)
    receiver.answers.append(Answer(503, {"retry-after": "1"}, words=GHERKIN))
    await wire.write(f"echo {GHERKIN}")
    await wire.outbound(GHERKIN, "sent")


async def test_refused_by_the_wire(path: World, receiver: Receiver) -> None:
    wire = await wired(path, receiver)
    receiver.answers.append(Answer(410, words=GHERKIN))
    await wire.write(f"echo {GHERKIN}")
    await wire.outbound(GHERKIN, "failed")


async def _held(path: World) -> str:
    path.sql.execute("update accounts set admission = 'ask' where tenant_id = %s", (path.tenant,))
    conversation = (await path.write(f"echo {GHERKIN}")).conversation_id
    await path.until("select 1 from conversations where tenant_id = %s and id = %s and state = 'held' and wake_at is null", conversation)
    return conversation


async def test_held_and_admitted(path: World) -> None:
    conversation = await _held(path)
    await path.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})
    await path.until("select 1 from messages where tenant_id = %s and direction = 'inbound' and state = 'answered'")


async def test_held_and_refused(path: World) -> None:
    conversation = await _held(path)
    await deeds.completed(path, routing_workflow(path.tenant, conversation))
    await path.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "refuse"})
    await path.until("select 1 from conversations where tenant_id = %s and state = 'refused'")


async def test_unbound(path: World) -> None:
    path.sql.execute("delete from bindings where tenant_id = %s", (path.tenant,))
    await path.write(f"echo {GHERKIN}")
    await path.until("select 1 from conversations where tenant_id = %s and state = 'unbound'")


async def test_a_member_writes_to_somebody_who_is_held(path: World, receiver: Receiver) -> None:
    wire = await wired(path, receiver)
    path.sql.execute("update accounts set admission = 'ask' where tenant_id = %s", (path.tenant,))
    await wire.write(f"echo {GHERKIN}")
    held = await path.until("select id from conversations where tenant_id = %s and state = 'held' and wake_at is null")
    sent = await path.api.post(f"/v1/conversations/{held['id']}/messages", json={"text": f"{GHERKIN} from a member"})
    assert sent.is_success, sent.text
    await wire.outbound("from a member", "sent")


async def test_a_session_continued_as_new(path: World) -> None:
    for n in range(12):
        await path.say(f"echo {GHERKIN} {n}")


async def test_an_approval_continued_as_new(path: World) -> None:
    approval = await _asked(path)
    handle = deeds.workflow(path, approval_workflow(path.tenant, approval))
    first = (await handle.describe()).run_id
    while (await handle.describe()).run_id == first:
        await handle.signal("changed")
        await handle.query("state")
    await deeds.decide(path, approval, "denied")
    await _result(path, approval)


async def test_a_routing_continued_as_new(path: World) -> None:
    conversation = (await path.write(f"echo {GHERKIN}")).conversation_id
    handle = deeds.workflow(path, routing_workflow(path.tenant, conversation))
    await path.parts.pokes.routing(path.tenant, conversation)
    first = (await handle.describe()).run_id
    while (await handle.describe()).run_id == first:
        await path.parts.pokes.routing(path.tenant, conversation)
        await handle.query("state")
