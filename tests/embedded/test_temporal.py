"""The embedded Temporal: it answers, knows our search attributes, is quick, and keeps workflows over a kill."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from domain.errors import StartFailed
from embedded.temporal import SEARCH_ATTRIBUTES, Temporal

NAPS = 8
"""On a busy machine some of them take long; not all."""


@workflow.defn
class Nap:
    """Sleeps for so many seconds."""

    @workflow.run
    async def run(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def start_nap(client: Client, seconds: float) -> str:
    named = TypedSearchAttributes([SearchAttributePair(SearchAttributeKey.for_keyword(name), "x") for name in SEARCH_ATTRIBUTES])
    await client.start_workflow(Nap.run, seconds, id="nap", task_queue="naps", search_attributes=named)
    return "nap"


async def test_keeps_workflows_over_a_kill(temporal: Temporal) -> None:
    temporal.start()
    await start_nap(await Client.connect(temporal.address), 1)
    temporal.kill()
    temporal.start()
    client = await Client.connect(temporal.address)
    found = await client.get_workflow_handle("nap").describe()
    assert found.typed_search_attributes[SearchAttributeKey.for_keyword("SbTenant")] == "x"


async def test_short_timers_are_short(temporal: Temporal) -> None:
    temporal.start()
    client = await Client.connect(temporal.address)
    async with Worker(client, task_queue="naps", workflows=[Nap], workflow_runner=UnsandboxedWorkflowRunner()):
        await client.execute_workflow(Nap.run, 0.01, id="warm-up", task_queue="naps")
        shortest = min([await timed_nap(client, n) for n in range(NAPS)])
    assert shortest < 0.9


async def timed_nap(client: Client, n: int) -> float:
    """The seconds that a nap of 0.2 takes: a second or more, always, unless short timers are short."""
    began = time.monotonic()
    await client.execute_workflow(Nap.run, 0.2, id=f"nap-{n}", task_queue="naps", execution_timeout=timedelta(seconds=20))
    return time.monotonic() - began


def test_serves_its_web_ui_and_ends_when_asked(temporal: Temporal) -> None:
    temporal.start()
    assert httpx.get(temporal.ui_url, follow_redirects=True).status_code == 200
    temporal.stop()
    assert temporal.exit_code == 0


def test_signs_in_its_path_do_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / ("deep " * 30).strip() / "a?b#c%20d&e=f"
    folder.mkdir(parents=True)
    server = Temporal(folder / "temporal.db")
    server.start()
    server.stop()
    assert (folder / "temporal.db").exists()


def test_variables_meant_for_clients_do_not_reach_it(temporal: Temporal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEMPORAL_NAMESPACE", "elsewhere")
    monkeypatch.setenv("TEMPORAL_TLS", "true")
    temporal.start()


def test_a_missing_program_is_named(temporal: Temporal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(StartFailed, match=r"Temporal is missing from \.venv"):
        temporal.start()
