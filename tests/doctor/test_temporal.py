"""Temporal: away, without the namespace, without the search attributes, without workers, and slow."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.duration_pb2 import Duration
from temporalio import workflow
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from cli.checks import Finding
from cli.checks.clocks import FEWEST, beyond
from embedded.folder import opened
from embedded.ports import free_port
from embedded.running import Running
from embedded.temporal import SEARCH_ATTRIBUTES, Temporal
from tests.doctor.conftest import Look, broken, skipped
from workflows.options import TASK_QUEUE

OF_TEMPORAL = {"namespace", "search-attributes", "workers", "dispatch"}
PATIENCE = 60.0


class Open(Temporal):
    """A Temporal that others can reach, and that looks for tasks to give away once a second."""

    def __init__(self, file: Path, log: Path) -> None:
        super().__init__(file, log=log, extra={"history.transferProcessorMaxPollRPS": "1"})

    def command(self) -> list[str]:
        """The same but for where it listens."""
        return ["0.0.0.0" if word == "127.0.0.1" else word for word in super().command()]


@workflow.defn
class Nothing:
    """Does nothing."""

    @workflow.run
    async def run(self) -> None:
        """Ends at once."""


async def test_a_temporal_that_is_away_is_told_once(away: Look) -> None:
    found = await away(TEMPORAL_ADDRESS=f"127.0.0.1:{free_port()}")

    assert broken(found) == {"temporal": "fail"}
    assert skipped(found) >= OF_TEMPORAL
    assert found["clocks"].state == "ok"


async def test_a_namespace_that_is_missing_is_told_once(away: Look) -> None:
    found = await away(TEMPORAL_NAMESPACE="nowhere")

    assert broken(found) == {"namespace": "fail"}
    assert "`temporal operator namespace create --namespace nowhere`" in found["namespace"].mend
    assert skipped(found) >= OF_TEMPORAL - {"namespace"}


async def test_a_namespace_without_search_attributes_and_workers_is_seen(away: Look, stack: Running) -> None:
    client = await Client.connect(stack.told["temporal_address"])
    kept = Duration(seconds=86_400)
    await client.workflow_service.register_namespace(RegisterNamespaceRequest(namespace="bare", workflow_execution_retention_period=kept))

    found = await _until(away, lambda found: "fail" in (found["workers"].state, found["search-attributes"].state), TEMPORAL_NAMESPACE="bare")

    assert broken(found) == {"search-attributes": "fail", "workers": "fail"}
    assert all(name in found["search-attributes"].found for name in SEARCH_ATTRIBUTES)

    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    await _when_it_is_known(client, AddSearchAttributesRequest(namespace="bare", search_attributes=dict.fromkeys(SEARCH_ATTRIBUTES, keyword)))
    mended = await _until(away, lambda found: found["search-attributes"].state == "ok", TEMPORAL_NAMESPACE="bare")

    assert broken(mended) == {"workers": "fail"}


async def test_a_temporal_that_is_ours_is_judged_by_how_it_was_started(look: Look, outside: Callable[..., None], tmp_path: Path) -> None:
    with opened(tmp_path / "data") as folder:
        temporal = Open(folder.temporal, folder.log("temporal"))
        temporal.start()
        try:
            folder.record([temporal])
            near = await look(folder.path, "ports", "dispatch", "temporal", "search-attributes", "workers", "namespace")
            outside(TEMPORAL_ADDRESS=temporal.address)
            idle = await look(folder.path, "dispatch")
            await _run_something(temporal.address)
            slow = await _until(look, lambda found: found["dispatch"].state != "skipped", folder.path, "dispatch")
        finally:
            temporal.kill()

    assert broken(near) == {"ports": "fail", "dispatch": "warn", "workers": "fail"}
    assert "history.transferProcessorMaxPollRPS" in near["dispatch"].found
    assert skipped(idle) == {"dispatch"}
    assert broken(slow) == {"dispatch": "warn"}
    assert "history.transferProcessorMaxPollRPS" in slow["dispatch"].mend


@pytest.mark.parametrize(("theirs", "by"), [(100.0, 0.0), (100.4, 0.0), (103.0, 2.5), (97.0, -3.0)])
def test_a_clock_is_wrong_only_by_what_the_asking_cannot_explain(theirs: float, by: float) -> None:
    assert beyond(theirs, before=100.0, after=100.5) == by


async def _run_something(address: str) -> None:
    client = await Client.connect(address)
    async with Worker(client, task_queue=TASK_QUEUE, workflows=[Nothing], workflow_runner=UnsandboxedWorkflowRunner()):
        started = [await client.start_workflow(Nothing.run, id=f"nothing-{number}", task_queue=TASK_QUEUE) for number in range(2 * FEWEST)]
        await asyncio.gather(*(one.result() for one in started))


async def _until(look: Look, true: Callable[[dict[str, Finding]], bool], *names: Any, **changed: str) -> dict[str, Finding]:
    ends = time.monotonic() + PATIENCE
    while not true(found := await look(*names, **changed)) and time.monotonic() < ends:
        await asyncio.sleep(0.2)
    return found


async def _when_it_is_known(client: Client, asked: AddSearchAttributesRequest) -> None:
    """A new namespace is known to all of Temporal a moment later."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            await client.operator_service.add_search_attributes(asked)
            return
        except RPCError:
            if time.monotonic() > ends:
                raise
            await asyncio.sleep(0.2)
