"""A running stack becomes the next version over its data, and this one again, while an approval is open, a session sleeps and a turn runs."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle

from domain.errors import StartFailed
from domain.ids import approval_workflow, session_workflow
from store.migrate import FOLDER
from tests.crash.stack import Stack
from tests.crash.visitor import Visitor
from tests.upgrade.trees import MIGRATION, told

NEWEST = max(path.stem for path in FOLDER.glob("*.sql") if not path.stem.endswith(".rollback"))
WAITING = "select * from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s"
ANSWER = "select o.text from messages m join messages o on o.id = m.answered_by where m.text = %s and o.state = 'sent'"
APPLIED = "select 1 from _yoyo_migration where migration_id = %s"


class Version:
    """One version of Switchboard over the data that all versions share."""

    def __init__(self, tree: Path, place: Path) -> None:
        self.environment = told(tree)
        self.stack = Stack(place, environment=self.environment)

    def command(self, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
        """What a command of this version says."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "cli", *words], env=self.environment | more, capture_output=True, text=True, timeout=120,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def beside(self, running: Stack) -> dict[str, str]:
        """What a process of this version is told to work beside a running stack."""
        keys = json.loads((running.data / "keys.json").read_text("utf-8"))
        host = running.told["database_url"].rpartition("@")[2]
        return {
            "DATABASE_URL": f"postgresql://switchboard_app:{keys['app_password']}@{host}", "TEMPORAL_ADDRESS": running.told["temporal_address"],
            "SWITCHBOARD_SEALING_KEYS": keys["sealing_keys"], "SWITCHBOARD_SIGNING_KEY": keys["signing_key"],
        }  # fmt: skip


class Person(Visitor):
    """Somebody at the web chat, whose token outlives a restart."""

    def at(self, stack: Stack) -> None:
        """Goes on talking there."""
        self._stack = stack


@asynccontextmanager
async def person(stack: Stack) -> AsyncIterator[Person]:
    """Somebody who is connected."""
    made = Person(stack)
    made.start()
    yield made
    await made.stop()


async def says(someone: Person, stack: Stack, text: str) -> str:
    """Writes, and is answered so."""
    someone.at(stack)
    await someone.write(text)
    return str((await stack.until(ANSWER, text))["text"])


async def asks(someone: Person, stack: Stack, amount: int) -> dict[str, Any]:
    """Asks for a refund; the approval that is open then."""
    someone.at(stack)
    await someone.write(f"refund {amount} to Ana")
    return await stack.until(WAITING, amount)


async def paid_once(stack: Stack, approval: dict[str, Any], amount: int) -> None:
    """Approves, waits until that is told, and looks for the money."""
    assert (await stack.decide(approval["id"], "approved")).json()["verdict"] == "approved"
    await stack.until("select 1 from messages where direction = 'outbound' and text like %s and text like '%%approved and paid%%'", f"%{amount}%")
    assert len(stack.rows("select 1 from demo_refunds where amount = %s", amount)) == 1
    said = "select 1 from messages where direction = 'outbound' and text like %s and text like '%%approved%%'"
    assert len(stack.rows(said, f"%{amount}%")) == 1


async def clock_of(stack: Stack, approval: dict[str, Any]) -> WorkflowHandle[Any, Any]:
    """An approval's clock, whichever run of it is the last."""
    client = await Client.connect(stack.told["temporal_address"])
    return client.get_workflow_handle(approval_workflow(approval["tenant_id"], approval["id"]))


async def run_of(stack: Stack, approval: dict[str, Any]) -> str:
    """The run of an approval's clock that waits."""
    described = await (await clock_of(stack, approval)).describe()
    assert described.status is WorkflowExecutionStatus.RUNNING
    return described.run_id


async def ended(stack: Stack, approval: dict[str, Any]) -> str:
    """The run in which an approval's clock came to its end, which is the verdict."""
    clock = await clock_of(stack, approval)
    assert await clock.result() == "approved"
    return (await clock.describe()).run_id


async def sleeps(stack: Stack, approval: dict[str, Any]) -> None:
    """Waits until the session that asked for this approval is a row and no more."""
    client = await Client.connect(stack.told["temporal_address"])
    await client.get_workflow_handle(session_workflow(approval["tenant_id"], approval["session_id"])).result()


@pytest.mark.timeout(420)
async def test_upgraded_and_rolled_back_over_its_data(old: Path, new: Path, place: Path) -> None:
    before, after = Version(old, place), Version(new, place)
    now, then = before.stack, after.stack
    try:
        now.start()
        async with person(now) as ana, person(now) as ben:
            # The old version: an approval is open and its session sleeps with a memory; then a turn runs when the power fails.
            assert await says(ana, now, "remember town=Bonn") == "I will remember that town = Bonn."
            first = await asks(ana, now, 41)
            await sleeps(now, first)
            clock = await run_of(now, first)
            ben.at(now)
            await ben.write("slow 3 across the upgrade")
            await now.until("select 1 from calls where tool = 'wait' and state = 'started'")
            now.kill_all()

            then.start()
            assert then.rows(APPLIED, MIGRATION)
            await paid_once(then, first, 41)
            assert await ended(then, first) == clock, "the same run goes on under the new version"
            assert await says(ana, then, "recall town") == "town = Bonn"
            assert (await then.until(ANSWER, "slow 3 across the upgrade"))["text"] == "across the upgrade"

            # An old worker that is started beside the new schema.
            refused = before.command("worker", **before.beside(then))
            assert refused.returncode == 1
            assert f"The data was written by a newer version (it has {MIGRATION})" in " ".join(refused.stderr.split())
            assert f"migrate --down-to {NEWEST.partition('_')[0]}" in " ".join(refused.stderr.split())
            assert "Traceback" not in refused.stderr

            # The new version has an approval open and a turn running when it is given up.
            second = await asks(ana, then, 42)
            clock = await run_of(then, second)
            ben.at(then)
            await ben.write("slow 3 and back again")
            await then.until("select 1 from calls where tool = 'wait' and state = 'started'")
            assert then.stop() == 0

            with pytest.raises(StartFailed, match="written by a newer version"):
                now.start()
            undone = after.command("migrate", "--data", str(now.data), "--down-to", NEWEST.partition("_")[0], "--yes")
            assert (undone.returncode, undone.stdout.strip()) == (0, f"undone {MIGRATION}"), undone.stderr
            now.start()
            assert not now.rows(APPLIED, MIGRATION)
            await paid_once(now, second, 42)
            assert await ended(now, second) != clock, "what the old version cannot replay begins anew"
            assert await says(ana, now, "recall town") == "town = Bonn"
            assert (await now.until(ANSWER, "slow 3 and back again"))["text"] == "and back again"

            # And up once more, in order this time.
            third = await asks(ana, now, 43)
            assert now.stop() == 0
            then.start()
            await paid_once(then, third, 43)
            assert await ended(then, third)
            assert then.rows("select 1 from messages where state not in ('answered', 'sent', 'cancelled')") == []
            assert then.rows("select call_id from demo_refunds group by call_id having count(*) > 1") == []
    finally:
        now.kill_all()
        then.kill_all()
