"""Who may decide: those named, not whoever asked, as many as are needed, in their order."""

from typing import Any

import pytest

from tests.journeys import deeds
from tests.journeys.deeds import Colleague
from tests.world import World

ASK = {"gate": "ask"}


async def _ask(live: World, **asked: Any) -> dict[str, Any]:
    answer = await live.api.post("/v1/approvals", json={"action": "open the vault", "arguments": {"door": 3}, **asked})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def _codes(live: World, approval: str, *clicks: tuple[Colleague | None, str]) -> list[Any]:
    answers = [await deeds.decide(live, approval, verdict, by=who) for who, verdict in clicks]
    return [answer.json().get("code") or answer.json()["state"] for answer in answers]


async def test_who_is_not_named_may_not_decide(live: World) -> None:
    stranger = await deeds.colleague(live, "Sam")
    await live.say("refund 9 to Ada")
    approval = (await live.pending_approval())["id"]

    answer = await deeds.decide(live, approval, "approved", by=stranger)

    assert (answer.status_code, answer.json()["code"]) == (403, "not_an_approver")
    assert (await live.pending_approval())["id"] == approval


async def test_whoever_asked_may_not_decide_unless_that_was_allowed(live: World) -> None:
    """The owner has nobody above, and may unless that was ruled out; anybody else may not unless that was allowed."""
    sam = await deeds.colleague(live, "Sam")
    strict, plain = await _ask(live, allow_self=False), await _ask(live)
    own = {"action": "open", "approvers": [sam.id]}
    sams = [await live.api.post("/v1/approvals", json=own | given, headers=sam.headers) for given in ({}, {"allow_self": True})]

    assert await _codes(live, strict["id"], (None, "approved")) == ["self_decision"]
    assert await _codes(live, plain["id"], (None, "approved")) == ["decided"]
    assert await _codes(live, sams[0].json()["id"], (sam, "approved")) == ["self_decision"]
    assert await _codes(live, sams[1].json()["id"], (sam, "approved")) == ["decided"]


async def test_an_agents_rule_names_who_is_asked(live: World) -> None:
    cara = await deeds.colleague(live, "Cara")
    deeds.rules(live, ASK | {"approvers": [cara.id]})
    await live.say("refund 9 to Ada")
    approval = (await live.pending_approval())["id"]

    assert await _codes(live, approval, (None, "approved"), (cara, "approved")) == ["not_an_approver", "decided"]
    assert "approved" in await deeds.verdict_told(live, approval)


async def test_a_quorum_needs_as_many_and_one_denial_ends_it(live: World) -> None:
    people = [await deeds.colleague(live, name) for name in ("Una", "Vic", "Wes")]
    of = {"approvers": {"quorum": 2, "of": [person.id for person in people]}}
    both, denied = await _ask(live, **of), await _ask(live, **of)

    assert await _codes(live, both["id"], (people[0], "approved"), (people[0], "approved"), (people[2], "approved")) == [
        "pending",
        "pending",
        "decided",
    ]
    assert await _codes(live, denied["id"], (people[0], "approved"), (people[1], "denied"), (people[2], "approved")) == [
        "pending", "decided", "already_decided",
    ]  # fmt: skip
    shown = (await live.api.get(f"/v1/approvals/{denied['id']}")).json()
    assert (shown["verdict"], shown["decided_by"]) == ("denied", people[1].id)


async def test_a_sequence_is_decided_in_its_order(live: World) -> None:
    first, second = [await deeds.colleague(live, name) for name in ("Xia", "Yan")]
    asked = await _ask(live, approvers={"sequence": [first.id, second.id]})

    clicks = [(second, "approved"), (first, "approved"), (first, "approved"), (second, "approved")]

    assert await _codes(live, asked["id"], *clicks) == ["not_an_approver", "pending", "pending", "decided"]


@pytest.mark.parametrize(
    ("asked", "wrong", "right"),
    [({"kind": "choose", "options": ["red", "blue"]}, [None, "green", ["red"]], "blue"), ({"kind": "answer"}, [None], "in their own words")],
)
async def test_where_an_answer_is_asked_for_a_bare_yes_decides_nothing(live: World, asked: dict[str, Any], wrong: list[Any], right: str) -> None:
    approval = (await _ask(live, allow_self=True, **asked))["id"]

    refused = [await deeds.decide(live, approval, "approved", answer=answer) for answer in wrong]
    decided = await deeds.decide(live, approval, "approved", answer=right)

    assert {(answer.status_code, answer.json()["code"], answer.json()["field"]) for answer in refused} == {(422, "answer_missing", "answer")}
    assert decided.status_code == 200
    assert (await live.api.get(f"/v1/approvals/{approval}")).json()["answer"] == right


@pytest.mark.parametrize("approvers", [[], {"quorum": 2, "of": ["owner"]}, {"sequence": []}, {"quorum": 0, "of": ["owner"]}, ["owner", "owner"]])
async def test_approvers_who_can_never_decide_are_refused_with_the_field(live: World, approvers: Any) -> None:
    answer = await live.api.post("/v1/approvals", json={"action": "x", "approvers": approvers})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert "approvers" in str(answer.json()["field"])
