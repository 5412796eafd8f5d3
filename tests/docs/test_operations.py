"""The page on operations, its dashboard and its alerts speak of figures, log lines and values that are there."""

import ast
import asyncio
import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from prometheus_client import generate_latest

import api.metrics
from domain.ids import new_id
from embedded.ports import free_port
from embedded.temporal import DYNAMIC, SEARCH_ATTRIBUTES
from parts import Parts
from settings import Settings
from tests.architecture.tree import ROOT, product, tree
from tests.world import World
from wiring import connect, worker

PAGE = (ROOT / "docs/operations.md").read_text("utf-8")
ALERTS: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs/operations/alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((ROOT / "docs/operations/grafana.json").read_text("utf-8"))
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
METRIC = re.compile(r"\b(?:switchboard|temporal)_[a-z_]+")
ONLY_WHEN_SOMETHING_FAILS = {"temporal_activity_execution_failed", "temporal_workflow_failed"}
OF_THE_PAGE = {
    "temporal_activity_execution_latency", "temporal_num_pollers", "temporal_worker_task_slots_available",
    "temporal_workflow_task_schedule_to_start_latency",
}  # fmt: skip


def series(name: str) -> str:
    """A metric without what a histogram adds to its name."""
    return re.sub(r"_(bucket|count|sum)$", "", name)


def named(text: str) -> set[str]:
    """Every metric that a text names."""
    return {series(name) for name in METRIC.findall(text)}


def scraped(port: int) -> str:
    """What Prometheus would read now."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as told:
        return str(told.read().decode())


@pytest.fixture
async def told_by_a_worker(settings: Settings, parts: Parts, world: World) -> str:
    """What a worker with a metrics port tells Prometheus once it has answered somebody."""
    port = free_port()
    client = await connect(settings.model_copy(update={"metrics_port": port}), lazy=False)
    async with worker(parts, client):
        await world.say("echo hello", chat=new_id("vis"))
        told = ""
        while not all(name in told for name in OF_THE_PAGE):  # the answer is stored before the activity that stored it is counted
            told = await asyncio.to_thread(scraped, port)
        return told


async def test_every_figure_that_is_named_is_told(told_by_a_worker: str) -> None:
    ours = set(re.findall(r"^# TYPE (switchboard_\w+)", generate_latest().decode(), re.MULTILINE))
    temporals = set(re.findall(r"^# TYPE (temporal_\w+)", told_by_a_worker, re.MULTILINE)) | ONLY_WHEN_SOMETHING_FAILS
    asked = named("\n".join(EXPRESSIONS))

    assert vars(api.metrics)["REQUESTS"]
    assert asked - ours - temporals == set()
    assert named(PAGE) - {"switchboard_app"} - ours - temporals == set()
    assert {name for name in ours if not name.endswith("_created")} <= named(PAGE)
    assert named(PAGE) >= OF_THE_PAGE
    assert 'poller_type="workflow_task"' in told_by_a_worker
    assert 'task_queue="switchboard"' in told_by_a_worker
    assert 'worker_type="ActivityWorker"' in told_by_a_worker


def test_an_alert_says_what_is_wrong_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert re.fullmatch(r".{10,}\.", rule["annotations"]["summary"])
        assert re.fullmatch(r".{10,}\.", rule["annotations"]["todo"])


def test_the_dashboard_has_a_place_for_every_panel() -> None:
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in DASHBOARD["panels"]]

    assert len(set(places)) == len(places) == len({panel["id"] for panel in DASHBOARD["panels"]})
    assert all(panel["title"] and panel["targets"] for panel in DASHBOARD["panels"])
    assert DASHBOARD["templating"]["list"][0]["query"] == "prometheus"


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_an_expression_is_whole(expression: str) -> None:
    assert all(expression.count(opening) == expression.count(closing) for opening, closing in ("()", "[]", "{}"))
    assert expression.count('"') % 2 == 0


def test_every_log_line_is_in_the_table_and_no_other() -> None:
    table = PAGE.partition("| event | further fields")[2].partition("## What is kept")[0]
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    listed = {name: {"exception", *re.findall(r"`(\w+)`", row[2])} for row in rows for name in re.findall(r"`([\w.]+)`", row[1])}
    written: dict[str, set[str]] = {}
    for event, fields in lines():
        written.setdefault(event, set()).update(fields)

    assert set(listed) == set(written)
    assert {event: fields - listed[event] for event, fields in written.items() if fields - listed[event]} == {}


def lines() -> Iterator[tuple[str, set[str]]]:
    """Every line that our code logs, with its fields."""
    for path in product():
        for node in ast.walk(tree(path)):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=verb), args=[ast.Constant(value=str(event)), *_], keywords=given):
                    yield event, {one.arg for one in given if one.arg} | ({"exception"} if verb == "exception" else set())


def test_what_temporal_is_told_is_what_up_tells_it() -> None:
    block = PAGE.partition("```yaml\n")[2].partition("```")[0]
    said = {name: str(values[0]["value"]) for name, values in yaml.safe_load(block).items()}

    assert said == {name: {"true": "True"}.get(value, value.strip('"')) for name, value in DYNAMIC.items()}
    assert f"for name in {' '.join(SEARCH_ATTRIBUTES)}; do" in PAGE
    assert "--retention 168h" in (ROOT / "docker-compose.yml").read_text("utf-8")
