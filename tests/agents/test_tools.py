"""The tools: what they accept, what they change, what they return."""

import json
from datetime import timedelta
from typing import Any

import pytest

from agents import Tool
from agents.registry import BACKENDS, LONGEST_COMMIT, load, load_tool, load_tools, specs
from agents.runner import check, run
from agents.tools.calculate import worked_out
from agents.tools.follow_up import FollowUp
from agents.tools.plan import CheckPlan, SetPlan
from agents.tools.refund import Refund
from agents.tools.remember import Remember
from agents.tools.wait import Wait
from domain.errors import ToolFailed
from tests.agents.hands import Written, hands
from tests.agents.looks import NOW

OURS = {"wait", "refund", "remember", "set_plan", "check_plan", "follow_up", "calculate"}


@pytest.mark.parametrize(
    ("tool", "arguments", "line", "result"),
    [
        (Refund(), {"amount": 5, "to": "Bob"}, ("refund", 5.0, "Bob"), {"refunded": 5.0, "to": "Bob"}),
        (Remember(), {"key": "k", "value": {"a": [1]}}, ("remember", "k", {"a": [1]}), {"remembered": "k"}),
        (SetPlan(), {"items": ["A", "B"]}, ("set_plan", ["A", "B"]), {"planned": 2}),
        (CheckPlan(), {"index": 0}, ("check_plan", 0), {"checked": 0}),
        (
            FollowUp(),
            {"after_seconds": 90, "note": "tea"},
            ("follow_up", NOW + timedelta(seconds=90), "tea"),
            {"comes_back_at": "2026-03-01T12:01:30+00:00"},
        ),
        (
            FollowUp(),
            {"at": "2026-03-02T00:00:00+02:00", "note": "tea"},
            ("follow_up", NOW + timedelta(hours=10), "tea"),
            {"comes_back_at": "2026-03-02T00:00:00+02:00"},
        ),
    ],
)
async def test_commits_its_effect(tool: Tool, arguments: dict[str, Any], line: tuple[Any, ...], result: Any) -> None:
    written = Written()

    assert result == await run(tool, arguments, hands(written))
    assert [line] == written.lines
    assert tool.commits


async def test_wait_changes_nothing() -> None:
    assert await run(Wait(), {"seconds": 0}, hands()) == {"waited_seconds": 0}


@pytest.mark.parametrize(
    ("tool", "arguments", "field"),
    [
        (Wait(), {}, "seconds"),
        (Wait(), {"seconds": -1}, "seconds"),
        (Wait(), {"seconds": 3601}, "seconds"),
        (Wait(), {"seconds": "soon"}, "seconds"),
        (Wait(), {"seconds": 1, "more": 1}, "more"),
        (Refund(), {"amount": -0.01, "to": "Bob"}, "amount"),
        (Refund(), {"amount": float("nan"), "to": "Bob"}, "amount"),
        (Refund(), {"amount": float("inf"), "to": "Bob"}, "amount"),
        (Refund(), {"amount": 5, "to": ""}, "to"),
        (Remember(), {"key": "", "value": 1}, "key"),
        (SetPlan(), {"items": []}, "items"),
        (SetPlan(), {"items": ["A", ""]}, "items.1"),
        (CheckPlan(), {"index": -1}, "index"),
        (FollowUp(), {"note": "tea"}, ""),
        (FollowUp(), {"note": "tea", "after_seconds": 1, "at": "2026-03-02T00:00:00Z"}, ""),
        (FollowUp(), {"note": "tea", "at": "2026-03-02T00:00:00"}, "at"),
    ],
)
def test_names_the_field_that_does_not_fit(tool: Tool, arguments: dict[str, Any], field: str) -> None:
    with pytest.raises(ToolFailed) as refused:
        check(tool, arguments)

    assert field == refused.value.extra["field"]
    assert field in refused.value.detail


@pytest.mark.parametrize("at", ["2026-03-01T11:59:59Z", "2027-03-02T12:00:00Z"])
async def test_follow_up_refuses_the_past_and_what_is_too_far(at: str) -> None:
    written = Written()

    with pytest.raises(ToolFailed, match="within the next year"):
        await run(FollowUp(), {"at": at, "note": "tea"}, hands(written))
    assert written.lines == []


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", 7),
        (" (1 + 2) * -3 ", -9),
        ("7 / 2", 3.5),
        ("7 // 2 + 7 % 4", 6),
        ("2 ** 10", 1024),
        ("sqrt(2) ** 2 > 1", None),
        ("round(pi, 2) + max(1, 2, abs(-3))", 6.14),
        ("2 ** -1", 0.5),
        ("10 ** 10 ** 10", None),
        ("9 ** 9 ** 9 ** 9", None),
        ("1e308 * 10", None),
        ("1e999", None),
        ("2.0 ** 100000", None),
        ("1 / 0", None),
        ("0 ** -1", None),
        ("(-8) ** 0.5", None),
        ("log(-1)", None),
        ("max()", None),
        ("abs(1, 2)", None),
        ("__import__('os')", None),
        ("().__class__", None),
        ("'a' * 9", None),
        ("True", None),
        ("lambda: 1", None),
        ("[1][0]", None),
        ("x", None),
        ("1 +", None),
        ("", None),
        ("(" * 250 + ")" * 250, None),
        ("-" * 499 + "1", -1),
        ("1\x00", None),
    ],
)
def test_calculate_works_out_arithmetic_and_nothing_else(expression: str, value: float | None) -> None:
    if value is None:
        with pytest.raises(ToolFailed):
            worked_out(expression)
    else:
        assert worked_out(expression) == pytest.approx(value)


def test_ours_are_registered_and_their_schemas_are_objects_with_descriptions() -> None:
    tools = load_tools()

    assert set(tools) >= OURS
    for spec in specs(tools[name] for name in sorted(OURS)):
        schema = json.loads(json.dumps(dict(spec.parameters)))
        assert schema["type"] == "object"
        assert schema["additionalProperties"] is False
        assert all(field.get("description") for field in schema["properties"].values())
        assert spec.description


def test_money_is_asked_about_and_the_rest_runs() -> None:
    assert {name: tool.gate for name, tool in load_tools().items() if name in OURS} == dict.fromkeys(OURS, "run") | {"refund": "ask"}


def test_a_tool_that_would_hold_our_locks_for_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postgres ends a transaction that takes longer, since its process may be frozen; the call would then never be done."""
    assert load_tool("refund").timeout <= LONGEST_COMMIT
    monkeypatch.setattr(Refund, "timeout", LONGEST_COMMIT + 1)

    with pytest.raises(ValueError, match="longer than 30 seconds"):
        load_tool("refund")


def test_our_backends_are_registered_under_their_names() -> None:
    assert {name: made().name for name, made in load(BACKENDS).items() if name in ("scripted", "model")} == {
        "scripted": "scripted",
        "model": "model",
    }
