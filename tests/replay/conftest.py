"""What the paths are recorded on: the tests' own stack, with runs that are continued as new early, and the journeys' backend and tools."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from embedded.temporal import Temporal
from parts import Parts
from settings import Settings
from tests.journeys.kit import Post
from tests.journeys.receiver import Receiver, receiving
from tests.journeys.stacks import kit_registered, running
from tests.replay.recorder import Recorder
from tests.workflows.histories import runs
from tests.world import World
from wiring import connect, sweep, worker

EVENTS = "50"
"""How many events a run may have before Temporal suggests that it be continued as new; 4,096 otherwise."""


@pytest.fixture(scope="session")
def temporal(folder: Path) -> Iterator[Temporal]:
    """A Temporal that suggests it early."""
    server = Temporal(folder / "temporal.db", log=folder / "temporal.log", extra={"limit.historyCount.suggestContinueAsNew": EVENTS})
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def settings(settings: Settings) -> Settings:
    """Short lives, few attempts."""
    return settings.model_copy(update={"linger": 1.0, "think_attempts": 2, "graceful_shutdown": 0.2})


@pytest.fixture(scope="session")
async def working(settings: Settings, parts: Parts, folder: Path) -> AsyncIterator[None]:
    """A worker with the tests' backend and tools."""
    Post.let_go = asyncio.Event()
    with kit_registered(folder):
        made = worker(parts, await connect(settings, lazy=False))
    async with made, running(sweep(parts).forever()):
        yield


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """The other end of a wire."""
    async with receiving() as made:
        yield made


@pytest.fixture
async def path(live: World, request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """A tenant that goes a path; when all of it rests, its runs are recorded under the test's name."""
    recorder = request.config.pluginmanager.get_plugin("recorder") or Recorder(tmp_path, {})
    yield live
    await _rests(live)
    async for run in runs(live.parts.temporal, live.tenant):
        recorder.take(run, request.node.name.removeprefix("test_"))


async def _rests(live: World) -> None:
    """Sessions and routings run to their end; an approval may stay open."""
    client = live.parts.temporal
    async for run in client.list_workflows(f"SbTenant = '{live.tenant}' and ExecutionStatus = 'Running' and SbKind != 'approval'"):
        await client.get_workflow_handle(run.id).result()
