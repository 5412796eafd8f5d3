"""An agent asks before something risky: people go on talking, the verdict has one winner, and what was approved is done once."""

import asyncio

import pytest
from psycopg.types.json import Jsonb
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from domain.approvals import arguments_sha256
from embedded.ports import free_port
from inbox import Inbox, Pokes
from store import approvals
from tests.journeys import deeds
from tests.world import World

REFUNDS = 'select amount, "to" from demo_refunds where tenant_id = %s order by id'


async def test_an_open_approval_blocks_nobody(live: World) -> None:
    asked = await live.say("refund 40 to Ada")
    approval = await live.pending_approval()

    assert approval["id"] in asked
    assert "asked the owner" in asked
    assert await live.say("echo meanwhile") == "meanwhile"
    assert live.rows(REFUNDS) == []


async def test_what_was_approved_is_done_once_and_told_with_the_number(live: World) -> None:
    await live.say("refund 41 to Ada")
    approval = await live.pending_approval()

    first = await deeds.decide(live, approval["id"], "approved", comment="fine", arguments_sha256=approval["arguments_sha256"])
    again = await deeds.decide(live, approval["id"], "approved")

    told = await deeds.verdict_told(live, approval["id"])
    assert "approved" in told
    assert "41" in told
    assert "fine" in told
    assert (first.status_code, first.json()["repeated"]) == (200, False)
    assert (again.status_code, again.json()["repeated"]) == (200, True)
    assert [(float(row["amount"]), row["to"]) for row in live.rows(REFUNDS)] == [(41.0, "Ada")]


async def test_what_becomes_of_an_approved_call_is_told_as_an_event_of_its_approval(live: World) -> None:
    """The verdict's own event is older than the end of the call, so whoever shows the approval is told once more to read it."""
    await live.say("refund 44 to Ada")
    approval = await live.pending_approval()
    await deeds.decide(live, approval["id"], "approved")

    await live.until(
        "select e.state from calls c join events e on e.tenant_id = c.tenant_id and e.subject = c.approval_id and e.kind = 'approval'"
        " where c.tenant_id = %s and c.approval_id = %s and c.state = 'done' and e.at >= c.done_at",
        approval["id"],
    )


async def test_what_was_denied_is_not_done_and_told(live: World) -> None:
    await live.say("refund 42 to Ada")
    approval = await live.pending_approval()

    await deeds.decide(live, approval["id"], "denied", comment="no receipt")

    told = await deeds.verdict_told(live, approval["id"])
    assert "denied" in told
    assert "42" in told
    assert "no receipt" in told
    assert live.rows(REFUNDS) == []


async def test_the_word_of_the_first_stands_against_another_verdict(live: World) -> None:
    await live.say("refund 43 to Ada")
    approval = await live.pending_approval()
    other = await deeds.colleague(live, "Oda", tier="owner")

    await deeds.decide(live, approval["id"], "denied")
    late = [await deeds.decide(live, approval["id"], "approved"), await deeds.decide(live, approval["id"], "approved", by=other)]

    assert {(answer.status_code, answer.json()["code"], answer.json()["verdict"]) for answer in late} == {(409, "already_decided", "denied")}
    assert "denied" in await deeds.verdict_told(live, approval["id"])
    assert live.rows(REFUNDS) == []


async def test_many_clicks_at_once_have_one_winner_and_one_refund(live: World) -> None:
    await live.say("refund 44 to Ada")
    approval = await live.pending_approval()
    people = [await deeds.colleague(live, f"Owner {n}", tier="owner") for n in range(4)]

    verdicts = [(person, verdict) for person in people for verdict in ("approved", "denied")]
    answers = await asyncio.gather(*(deeds.decide(live, approval["id"], verdict, by=person) for person, verdict in verdicts))

    first = [answer for answer in answers if answer.status_code == 200 and not answer.json()["repeated"]]
    assert len(first) == 1
    told = await deeds.verdict_told(live, approval["id"])
    assert first[0].json()["verdict"] in told
    assert len(live.rows(REFUNDS)) == int(first[0].json()["verdict"] == "approved")


async def test_two_approvals_open_at_once_are_decided_in_any_order(live: World) -> None:
    first = await live.write("refund 1 to Ada")
    second = await live.write("refund 2 to Bo")
    await live.answer(first), await live.answer(second)
    rows = await live.until("select jsonb_agg(id order by arguments -> 'amount') as ids from approvals where tenant_id = %s having count(*) = 2")
    one, two = rows["ids"]

    await deeds.decide(live, two, "approved")
    assert "The refund of 2 to Bo was approved" in await deeds.verdict_told(live, two)
    await deeds.decide(live, one, "denied")

    assert "The refund of 1 to Ada was denied" in await deeds.verdict_told(live, one)
    assert [(float(row["amount"]), row["to"]) for row in live.rows(REFUNDS)] == [(2.0, "Bo")]


async def test_a_refund_of_nothing_runs_without_asking(live: World) -> None:
    assert "0" in await live.say("refund 0 to Ada")

    assert live.rows("select 1 from approvals where tenant_id = %s") == []
    assert len(live.rows(REFUNDS)) == 1


async def test_other_arguments_than_those_shown_are_not_approved(live: World) -> None:
    await live.say("refund 45 to Ada")
    approval = await live.pending_approval()

    answer = await deeds.decide(live, approval["id"], "approved", arguments_sha256="0" * 64)

    assert (answer.status_code, answer.json()["code"]) == (409, "arguments_changed")
    assert (await live.pending_approval())["id"] == approval["id"]


@pytest.mark.parametrize("with_hash", [True, False])
async def test_arguments_changed_behind_an_approvals_back_are_not_carried_out(live: World, with_hash: bool) -> None:
    await live.say("refund 46 to Ada")
    approval = await live.pending_approval()
    other = {"amount": 4600, "to": "Mallory"}
    sha256 = arguments_sha256(other) if with_hash else approval["arguments_sha256"]
    live.sql.execute("update calls set arguments = %s, arguments_sha256 = %s where tenant_id = %s", (Jsonb(other), sha256, live.tenant))

    await deeds.decide(live, approval["id"], "approved")

    assert "not those that were judged" in await deeds.verdict_told(live, approval["id"])
    assert live.rows(REFUNDS) == []


async def test_deciding_works_while_temporal_is_away_and_is_told_by_the_sweep(live: World) -> None:
    await live.say("refund 47 to Ada")
    approval = await live.pending_approval()
    await deeds.rests(live, await deeds.session_of(live))

    decision = await approvals.decide(
        live.parts.db, live.tenant, approval["id"], member=live.member.id, identities=live.owner, verdict="approved", comment="", answer=None,
        sha256=None, via="api",
    )  # fmt: skip

    assert decision.status == "decided"
    assert "approved" in await deeds.verdict_told(live, approval["id"])
    assert len(live.rows(REFUNDS)) == 1
    assert await deeds.completed(live, f"approval/{live.tenant}/{approval['id']}") == "approved"


async def test_messages_are_accepted_while_temporal_is_away_and_answered_afterwards(live: World) -> None:
    await live.say("echo before")
    dead = await Client.connect(f"127.0.0.1:{free_port()}", lazy=True, data_converter=pydantic_data_converter)
    cut_off = Inbox(live.parts.db, pokes := Pokes(dead), live.parts.notices)

    written = [await cut_off.accept(live.inbound(f"echo {n}")) for n in range(3)]

    assert [await live.answer(message) for message in written] == ["0", "1", "2"]
    await pokes.close()
