"""What earlier code recorded, today's code goes on with; and every statement that decides a command is gone through by it."""

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from types import FrameType
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain import progress
from tests.architecture.tree import name
from tests.replay.command_code import statements, workflows
from tests.replay.histories import Recorded, recorded, words
from tests.replay.scenarios import GHERKIN
from wiring import RUNNER, WORKFLOWS

HISTORIES = recorded()


def replayer() -> Replayer:
    """Workflows as the worker runs them; it is told of a misfit, where the worker's runs begin anew."""
    return Replayer(workflows=list(WORKFLOWS), workflow_runner=RUNNER, data_converter=pydantic_data_converter)


@pytest.mark.parametrize("one", HISTORIES, ids=lambda one: one.name)
async def test_a_run_of_before_goes_on(one: Recorded) -> None:
    await replayer().replay_workflow(one.history())


@pytest.mark.parametrize("kind", sorted(workflows()))
async def test_code_that_asks_for_something_else_is_found_out(kind: str) -> None:
    """The replays above can fail: the same histories, with another activity where the code asks for its own."""
    one = next(one for one in HISTORIES if one.workflow == kind)
    told = json.loads(one.text())
    asked = next(event["activityTaskScheduledEventAttributes"] for event in told["events"] if "activityTaskScheduledEventAttributes" in event)
    asked["activityType"]["name"] = "another"

    with pytest.raises(workflow.NondeterminismError):
        await replayer().replay_workflow(WorkflowHistory.from_json(one.name, told))


@pytest.mark.parametrize("kind", sorted(workflows()))
async def test_every_statement_that_decides_a_command_is_replayed(kind: str) -> None:
    with lines_run() as ran:
        for one in HISTORIES:
            if one.workflow == kind:
                await replayer().replay_workflow(one.history())

    missed = [f"{name(file)}:{node.lineno}" for file, node in statements(kind) if not ran & {(str(file), line) for line in _own_lines(node)}]
    assert missed == [], "no recorded run comes here: add a path to tests/replay/scenarios.py, then run python -m tests.replay.record"


def test_every_workflow_of_the_worker_has_histories() -> None:
    assert {one.workflow for one in HISTORIES} == {kind.__name__ for kind in WORKFLOWS} == set(workflows())


def test_histories_hold_ids_and_small_words_and_nothing_that_anybody_wrote() -> None:
    text = {one.name: "\n".join(words(json.loads(one.text()))) for one in HISTORIES}

    assert [where for where, said in text.items() if GHERKIN in said.lower() or "Traceback" in said or "/" + "home" in said] == []
    assert {key for one in HISTORIES for key in _keys(one)} <= {field.name for record in _records() for field in fields(record)}


@contextmanager
def lines_run() -> Iterator[set[tuple[str, int]]]:
    """The lines of workflows and domain that run meanwhile, in whichever thread."""
    folders = tuple({str(file.parent) for kind in workflows() for file, _ in statements(kind)})
    ran: set[tuple[str, int]] = set()

    def line(frame: FrameType, event: str, _: Any) -> Any:
        if not frame.f_code.co_filename.startswith(folders):
            return None
        if event == "line":
            ran.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    before, threads = sys.gettrace(), threading.gettrace()
    threading.settrace(line)
    sys.settrace(line)
    try:
        yield ran
    finally:
        sys.settrace(before)
        threading.settrace(threads)


def _own_lines(node: Any) -> range:
    """A statement's lines up to where statements inside it begin."""
    inside = [part.lineno for block in ("body", "cases") for part in getattr(node, block, []) if hasattr(part, "lineno")]
    return range(node.lineno, min(inside, default=(node.end_lineno or node.lineno) + 1))


def _records() -> list[Any]:
    return [record for record in vars(progress).values() if isinstance(record, type) and hasattr(record, "__dataclass_fields__")]


def _keys(one: Recorded) -> Iterator[str]:
    """The fields of everything that workflows and activities told each other."""
    for event in one.history().events:
        for field, _ in event.ListFields():
            if field.name.endswith("_attributes"):
                yield from _of_payloads(getattr(event, field.name))


def _of_payloads(attributes: Any) -> Iterator[str]:
    for part in ("input", "result"):
        payloads = getattr(getattr(attributes, part, None), "payloads", [])
        for payload in payloads:
            said = json.loads(payload.data) if payload.data else None
            yield from said if isinstance(said, dict) else ()
