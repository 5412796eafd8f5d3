"""Versioned workers: a run goes on under whichever version is current, forth and back, by the commands that the documentation names."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import VersioningBehavior

from domain.errors import StartFailed
from domain.ids import approval_workflow
from embedded.temporal import program
from parts import Parts
from settings import Settings
from store import approvals
from tests.journeys import deeds
from tests.journeys.stacks import beside, running
from tests.world import PATIENCE, World, make_world
from wiring import connect, deployment, opened, sweep, worker

DEPLOYMENT = "switchboard"


@pytest.fixture
async def versions(settings: Settings) -> Settings:
    """A database and a namespace for versioned workers alone."""
    return await beside(settings, f"versions_{secrets.token_hex(4)}", deployment=DEPLOYMENT, linger=1.0)


@asynccontextmanager
async def version(settings: Settings, build_id: str) -> AsyncIterator[Parts]:
    """A worker of one version."""
    own = settings.model_copy(update={"build_id": build_id})
    async with opened(own, f"version-{build_id}") as parts, worker(parts, await connect(own, lazy=False)), running(sweep(parts).forever()):
        yield parts


async def temporal(settings: Settings, *words: str) -> str:
    """Temporal's own command line, as an operator uses it; asked again until the server knows the version."""
    command = [str(program()), "worker", "deployment", *words, "--address", settings.temporal_address, "--namespace", settings.temporal_namespace]
    async with asyncio.timeout(PATIENCE):
        while True:
            asked = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT)
            said, _ = await asked.communicate()
            if asked.returncode == 0:
                return said.decode()
            await asyncio.sleep(0.2)


async def make_current(settings: Settings, build_id: str) -> None:
    """The command of docs/operations.md."""
    await temporal(settings, "set-current-version", "--deployment-name", DEPLOYMENT, "--build-id", build_id, "--yes")


async def builds(client: Client, id_: str) -> list[str]:
    """Which version did each task of a run so far, in order."""
    events = [event async for event in client.get_workflow_handle(id_).fetch_history_events()]
    done = [event.workflow_task_completed_event_attributes for event in events if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED]
    return [one.deployment_version.build_id for one in done]


async def decided(world: World, approval: str) -> None:
    decision = await approvals.decide(
        world.parts.db, world.tenant, approval, member=world.member.id, identities=world.owner, verdict="approved", comment="", answer=None,
        sha256=None, via="api",
    )  # fmt: skip
    assert decision.status == "decided"
    world.parts.inbox.wake(world.tenant, decision.wake, decision.wake_id)
    await world.parts.pokes.decided(world.tenant, approval)


async def test_a_run_goes_on_under_the_current_version_and_back_under_the_old(versions: Settings) -> None:
    owner = versions.owner_database_url.get_secret_value()
    with psycopg.connect(owner, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        async with version(versions, "1.0") as parts:
            await make_current(versions, "1.0")
            world = await make_world(sql, parts)
            await world.say("refund 5 to Ada")
            approval = (await world.pending_approval())["id"]
            clock = approval_workflow(world.tenant, approval)
            async with version(versions, "1.1") as newer:
                world.parts = newer
                await temporal(versions, "describe-version", "--deployment-name", DEPLOYMENT, "--build-id", "1.1")
                assert await world.say("echo not yet") == "not yet"
                assert set(await builds(newer.temporal, clock)) == {"1.0"}
                await make_current(versions, "1.1")
        # Nothing waits for the old version, whose last worker ended above, or for the new one once it is gone.
        async with version(versions, "1.1") as newer:
            world.parts = newer
            await newer.pokes.approval(world.tenant, approval)
            await _done_by(newer.temporal, clock, "1.1")
            assert await world.say("echo new") == "new"
        async with version(versions, "1.0") as older:
            world.parts = older
            await make_current(versions, "1.0")
            await decided(world, approval)
            assert "approved" in await deeds.verdict_told(world, approval)
            assert await deeds.completed(world, clock) == "approved"
            assert await deeds.status(world, clock) is WorkflowExecutionStatus.COMPLETED
            assert (await builds(older.temporal, clock))[-1] == "1.0"


async def _done_by(client: Client, id_: str, build_id: str) -> None:
    async with asyncio.timeout(PATIENCE):
        while (await builds(client, id_))[-1] != build_id:
            await asyncio.sleep(0.05)


def test_workers_are_unversioned_until_both_halves_of_a_version_are_set(settings: Settings) -> None:
    both = deployment(settings.model_copy(update={"deployment": "switchboard", "build_id": "1.1"}))

    assert deployment(settings) is None
    assert both
    assert (both.version.deployment_name, both.version.build_id, both.use_worker_versioning) == ("switchboard", "1.1", True)
    assert both.default_versioning_behavior is VersioningBehavior.AUTO_UPGRADE
    for half in ({"deployment": "switchboard"}, {"build_id": "1.1"}):
        with pytest.raises(StartFailed, match="SWITCHBOARD_DEPLOYMENT and SWITCHBOARD_BUILD_ID go together"):
            deployment(settings.model_copy(update=half))
