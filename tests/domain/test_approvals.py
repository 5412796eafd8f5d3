"""Gates, hashes and approvers: a gate fails closed, a hash is canonical JSON's, approvers can decide."""

import hashlib
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.approvals import Rule, ToolUse, When, approvers_of, are_those_judged, arguments_sha256, named_by_id, rule_for
from domain.errors import Invalid

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
ABOVE = Rule(gate="ask", when=When(argument="amount", above=0))
REFUND = ToolUse(name="refund", rules=(ABOVE,))


@pytest.mark.parametrize(
    ("when", "arguments", "holds"),
    [
        ({"above": 10}, {"a": 10.01}, True),
        ({"above": 10}, {"a": 10}, False),
        ({"above": 10}, {"a": 10**400}, True),
        ({"above": 10}, {"a": -(10**400)}, False),
        ({"below": 0}, {"a": -1}, True),
        ({"above": 1, "below": 3}, {"a": 2}, True),
        ({"above": 1, "below": 3}, {"a": 3}, False),
        ({"equals": "x"}, {"a": "x"}, True),
        ({"equals": "x"}, {"a": "y"}, False),
        ({"equals": None}, {}, True),
        ({"equals": [1]}, {"a": [1]}, True),
    ],
)
def test_a_condition_compares_one_argument(when: dict[str, Any], arguments: dict[str, Any], holds: bool) -> None:
    assert When(argument="a", **when).holds(arguments) is holds


@pytest.mark.parametrize("value", ["11", None, True, [11], {"n": 11}, math.nan, math.inf, -math.inf])
def test_what_cannot_be_compared_meets_a_condition(value: Any) -> None:
    assert When(argument="amount", above=10).holds({"amount": value})
    assert When(argument="amount", above=10).holds({})
    assert When(argument="amount", above=10, below=20).holds({"amount": value})


@pytest.mark.parametrize(
    ("use", "default", "arguments", "mode", "plan_approved", "gate"),
    [
        (ToolUse(name="wait"), "run", {}, "copilot", False, "run"),
        (ToolUse(name="wait"), "ask", {}, "copilot", False, "ask"),
        (ToolUse(name="wait"), "deny", {}, "copilot", False, "deny"),
        (REFUND, "ask", {"amount": 1}, "copilot", False, "ask"),
        (REFUND, "ask", {"amount": 0}, "copilot", False, "run"),
        (REFUND, "ask", {"amount": "1"}, "copilot", False, "ask"),
        (REFUND, "ask", {"amount": 0}, "hitl-interactive", False, "ask"),
        (ToolUse(name="set_plan"), "run", {}, "hitl-interactive", False, "ask"),
        (ToolUse(name="check_plan"), "run", {}, "hitl-interactive", False, "run"),
        (ToolUse(name="wait"), "run", {}, "planning-control", False, "deny"),
        (ToolUse(name="check_plan"), "run", {}, "planning-control", False, "deny"),
        (ToolUse(name="set_plan"), "run", {}, "planning-control", False, "ask"),
        (ToolUse(name="set_plan"), "run", {}, "planning-control", True, "ask"),
        (ToolUse(name="wait"), "run", {}, "planning-control", True, "run"),
        (REFUND, "ask", {"amount": 1}, "planning-control", True, "ask"),
        (ToolUse(name="wait"), "deny", {}, "hitl-interactive", True, "deny"),
        (ToolUse(name="set_plan"), "deny", {}, "planning-control", False, "deny"),
    ],
)
def test_the_gate_of_a_call(use: ToolUse, default: Any, arguments: dict[str, Any], mode: str, plan_approved: bool, gate: str) -> None:
    assert rule_for(use, default, arguments, mode, plan_approved).gate == gate


@settings(deadline=None)
@given(st.permutations([Rule(gate="run"), Rule(gate="ask"), Rule(gate="deny", when=When(argument="amount", above=5))]), JSON)
def test_a_rule_that_denies_wins_wherever_it_stands(rules: list[Rule], amount: Any) -> None:
    use = ToolUse(name="refund", rules=tuple(rules))
    over = isinstance(amount, int | float) and not isinstance(amount, bool) and amount <= 5

    chosen = rule_for(use, "run", {"amount": amount}, "copilot", False).gate

    assert chosen == (next(rule.gate for rule in rules if rule.when is None) if over else "deny")


@settings(deadline=None)
@given(st.text(max_size=5), JSON)
def test_a_refund_above_nothing_never_runs_unasked(name: str, value: Any) -> None:
    harmless = name == "amount" and isinstance(value, int | float) and not isinstance(value, bool) and value <= 0

    assert (rule_for(REFUND, "run", {name: value}, "copilot", False).gate == "run") is harmless


@pytest.mark.parametrize(
    "wrong", [{"quorum": 2}, {"approvers": ()}, {"within": 0}, {"within": 31 * 86_400}, {"quorum": 0}, {"gate": "maybe"}, {"if": 1}]
)
def test_rules_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Rule.model_validate({"gate": "ask"} | wrong)


@pytest.mark.parametrize(
    ("arguments", "canonical"),
    [
        ({}, b"{}"),
        ({"b": 1, "a": 2}, b'{"a":2,"b":1}'),
        ({"n": 1.0}, b'{"n":1}'),
        ({"n": 1e21}, b'{"n":1e+21}'),
        ({"n": 1e-7}, b'{"n":1e-7}'),
        ({"n": 333333333.33333329}, b'{"n":333333333.3333333}'),
        ({"n": -0.0}, b'{"n":0}'),
        ({"s": "€$\x0f\nA'B\"\\\\\"/"}, b'{"s":"\xe2\x82\xac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'),
        ({"\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\U0001f600": 5, "\x80": 6, "\xf6": 7},
         '{"\\r":2,"1":4,"\x80":6,"\xf6":7,"\u20ac":1,"\U0001f600":5,"\ufb33":3}'.encode()),
        ({"literals": [None, True, False]}, b'{"literals":[null,true,false]}'),
    ],
)  # fmt: skip
def test_a_hash_is_of_the_canonical_json_of_rfc_8785(arguments: dict[str, Any], canonical: bytes) -> None:
    assert arguments_sha256(arguments) == hashlib.sha256(canonical).hexdigest()


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_a_hash_knows_no_order_and_survives_being_stored(arguments: dict[str, Any]) -> None:
    reordered = dict(reversed(arguments.items()))

    assert arguments_sha256(reordered) == arguments_sha256(arguments)
    assert are_those_judged(reordered, arguments_sha256(arguments))
    assert not are_those_judged(arguments | {"another": 1}, arguments_sha256(arguments))


@pytest.mark.parametrize("large", [1e20, 2.0**60, -1e17])
def test_a_large_float_that_postgres_gives_back_as_a_whole_number_is_still_the_one_judged(large: float) -> None:
    sha256 = arguments_sha256({"list": [{"n": large}]})

    assert are_those_judged({"list": [{"n": int(large)}]}, sha256)
    assert not are_those_judged({"list": [{"n": int(large) * 2}]}, sha256)


@pytest.mark.parametrize("value", [2**53, math.nan, math.inf, "\ud800", {1: 2}, object()])
def test_what_json_cannot_say_exactly_has_no_hash(value: Any) -> None:
    with pytest.raises(Invalid):
        arguments_sha256({"value": value})


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (["owner"], {"of": ["owner"], "quorum": 1, "sequence": False}),
        ({"quorum": 2, "of": ["a", "b", "c"]}, {"of": ["a", "b", "c"], "quorum": 2, "sequence": False}),
        ({"sequence": ["a", "b"]}, {"of": ["a", "b"], "quorum": 2, "sequence": True}),
    ],
)
def test_approvers_are_stored_in_one_form(given: Any, stored: dict[str, Any]) -> None:
    assert approvers_of(given) == stored


@pytest.mark.parametrize(
    "given",
    [[], None, "owner", {}, {"quorum": 3, "of": ["a", "b"]}, {"quorum": True, "of": []}, {"sequence": []}, ["a", "a"], [""], [1], {"of": ["a"]}],
)
def test_approvers_who_could_never_decide_are_refused(given: Any) -> None:
    with pytest.raises(Invalid):
        approvers_of(given)


def test_only_ids_roles_and_tiers_are_named_outside() -> None:
    member = "mem_01jd0000000000000000000000"

    assert named_by_id(["owner", "customer_admin", member, "Ada Lovelace", "ada@example.org", "mem_ada"]) == ("owner", "customer_admin", member)
