"""A backup of a stack that runs, restored elsewhere: what waited there goes on, once."""

import asyncio
import contextlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import StartFailed
from embedded.backup import back_up
from embedded.restore import restore
from tests.crash.stack import Stack
from tests.crash.visitor import Visitor

ROOT = Path(__file__).parents[2]
QUICK = {"SWITCHBOARD_LINGER": "2"}
WAITING = "select id from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = %s"
SHAPE = (
    "select indexdef from pg_indexes where schemaname = 'public'",
    "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace",
    "select pg_get_functiondef(oid), proowner::regrole::text, proacl::text from pg_proc where pronamespace = 'public'::regnamespace",
    "select tablename, policyname, roles::text, cmd, qual, with_check from pg_policies",
    "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
    "select relname, relacl::text, relrowsecurity, relforcerowsecurity from pg_class"
    " where relnamespace = 'public'::regnamespace and relname !~ 'yoyo'",
)


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that an unprivileged Postgres may pass."""
    path = Path(tempfile.mkdtemp(prefix="sbb-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Stack]:
    """Switchboard over a folder's `data`."""
    folder.mkdir(exist_ok=True, mode=0o755)
    stack = Stack(folder, environment=QUICK)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


@contextlib.asynccontextmanager
async def visitor(stack: Stack) -> AsyncIterator[Visitor]:
    """Somebody at the web chat."""
    person = Visitor(stack)
    person.start()
    yield person
    await person.stop()


def cli(*words: str) -> subprocess.CompletedProcess[str]:
    """A command as a process of its own."""
    return subprocess.run([sys.executable, "-P", "-m", "cli", *words], cwd=ROOT, capture_output=True, text=True, env=os.environ | {"NO_COLOR": "1"})


def shape(stack: Stack) -> list[list[str]]:
    """What the schema looks like: indexes, constraints, functions with owners and grants, policies, triggers."""
    with psycopg.connect(stack.told["database_url"]) as connection:
        return [sorted(map(str, connection.execute(part).fetchall())) for part in SHAPE]


async def until(stack: Stack, query: str, *params: object) -> dict[str, object]:
    """A row as soon as it is there, without stopping the visitors."""
    return await stack.until(query, *params)


async def test_a_backup_of_a_running_stack_goes_on_elsewhere(folder: Path) -> None:
    """Talk, ask for two refunds, back up, decide one, go on; restored, both still wait, and one that is approved there is paid once; so does the
    other when Temporal's file is thrown away, since Postgres alone holds what is true."""
    file, there = folder / "kept" / "shop.backup", folder / "there"
    file.parent.mkdir()
    with running(folder / "here") as stack:
        async with visitor(stack) as person:
            await person.write("echo kept")
            await person.write("refund 41 to Ana")
            await person.write("refund 42 to Ben")
            first = await until(stack, WAITING, 41)
            second = await until(stack, WAITING, 42)
            made = await asyncio.to_thread(cli, "backup", str(file), "--data", str(stack.data))
            assert made.returncode == 0, made.stderr
            assert file.stat().st_mode & 0o777 == 0o600
            assert sorted(path.name for path in file.parent.iterdir()) == ["shop.backup"]
            assert (await stack.decide(str(first["id"]), "approved")).status_code == 200
            await person.write("echo lost")
            await person.all_accepted()
        whole = shape(stack)

    back = await asyncio.to_thread(cli, "restore", str(file), "--data", str(there / "data"))
    assert back.returncode == 0, back.stderr
    assert "2 open approvals" in back.stdout
    assert sorted(path.name for path in (there / "data").iterdir()) == ["admin_token", "keys.json", "logs", "postgres", "temporal.db"]

    with running(there) as again:
        assert shape(again) == whole
        assert again.rows("select 1 from messages where text = 'echo kept' and state = 'answered'")
        assert not again.rows("select 1 from messages where text = 'echo lost'")
        with again.api as api:
            said = [one["text"] for one in api.get(f"/v1/conversations/{_conversation(again)}/messages").json()["items"]]
        assert "echo kept" in said
        assert (await again.decide(str(second["id"]), "approved")).status_code == 200
        await until(again, "select 1 as paid from demo_refunds where amount = 42")
        await until(again, "select 1 as told from messages where direction = 'outbound' and text like '%%42%%approved%%'")
        assert [row["amount"] for row in again.rows("select amount from demo_refunds")] == [42]
        assert again.rows("select state from approvals where id = %s", first["id"]) == [{"state": "pending"}]
        async with visitor(again) as other:
            await other.write("echo new")
            await until(again, "select 1 as here from messages where direction = 'outbound' and text = 'new' and state = 'sent'")

    assert back_up(there / "data", folder / "stopped.backup").temporal  # and while nothing runs
    for file in (there / "data").glob("temporal.db*"):
        file.unlink()
    with running(there) as bare:
        await until(bare, "select 1 as promised from approvals where id = %s and wake_at is not null", first["id"])
        assert (await bare.decide(str(first["id"]), "approved")).status_code == 200
        await until(bare, "select 1 as told from messages where direction = 'outbound' and text like '%%41%%approved%%'")
        assert [row["amount"] for row in bare.rows("select amount from demo_refunds order by id")] == [42, 41]


def _conversation(stack: Stack) -> str:
    return str(stack.rows("select conversation_id as id from messages where text = 'echo kept'")[0]["id"])


def test_nothing_is_overwritten_and_nothing_strange_is_unpacked(folder: Path) -> None:
    empty, taken, strange = folder / "empty", folder / "taken", folder / "strange.backup"
    empty.mkdir()
    taken.mkdir()
    (taken / "notes").write_text("mine")
    with tarfile.open(strange, "w:gz") as tar:
        tar.add(taken / "notes", "manifest.json")

    for call, words in (
        (lambda: back_up(empty, folder / "new"), "holds no Postgres"),
        (lambda: restore(strange, taken), "holds something already"),
        (lambda: restore(strange, empty), "no backup of Switchboard"),
        (lambda: restore(taken / "notes", empty), "no whole backup"),
        (lambda: restore(folder / "nowhere", empty), "cannot be read"),
    ):
        with pytest.raises(StartFailed, match=words):
            call()
    assert [path.name for path in empty.iterdir()] == []
    assert not (folder / "new").exists()
    assert [path for path in folder.iterdir() if path.name.startswith(".")] == []
