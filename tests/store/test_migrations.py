"""The schema goes up and down step by step, over rows, over a kill, and as an owner who is no superuser."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.rows import dict_row

from domain.errors import StartFailed
from embedded.postgres import Postgres
from store import migrate
from tests.store.rows import fill

NAMES = sorted(path.stem for path in migrate.FOLDER.glob("*.sql") if not path.stem.endswith(".rollback"))
LEFT = """
    select c.relname::text as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relname !~ '^_?yoyo'
    union select p.proname::text from pg_proc p where p.pronamespace = 'public'::regnamespace
    union select t.typname::text from pg_type t where t.typnamespace = 'public'::regnamespace and t.typname !~ '^_*yoyo'"""
"""Everything of ours in a database: tables, indexes, functions and types."""


def opened(url: str) -> psycopg.Connection[dict[str, Any]]:
    return psycopg.connect(url, autocommit=True, row_factory=dict_row)


def counted(url: str, names: list[str]) -> dict[str, int]:
    """How many rows each table has, as far as it exists."""
    with opened(url) as connection:
        there = [name for name in names if connection.execute("select to_regclass(%s) as it", (name,)).fetchone() != {"it": None}]
        counts = {name: connection.execute(sql.SQL("select count(*) as n from {}").format(sql.Identifier(name))).fetchone() for name in there}
    return {name: row["n"] for name, row in counts.items() if row}


def shape(url: str) -> set[tuple[Any, ...]]:
    """What the schema looks like, for comparing: columns, indexes, constraints, functions, policies, triggers and grants."""
    parts = (
        "select table_name, column_name, data_type, column_default, is_nullable from information_schema.columns where table_schema = 'public'",
        "select indexdef from pg_indexes where schemaname = 'public'",
        "select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace",
        "select pg_get_functiondef(oid), proowner::regrole::text, proacl::text from pg_proc where pronamespace = 'public'::regnamespace",
        "select tablename, policyname, roles::text, cmd, qual, with_check from pg_policies",
        "select pg_get_triggerdef(oid) from pg_trigger where not tgisinternal",
        "select relname, relacl::text, relrowsecurity, relforcerowsecurity from pg_class where relnamespace = 'public'::regnamespace",
    )
    with psycopg.connect(url) as connection:
        return {row for part in parts for row in connection.execute(part).fetchall() if "yoyo" not in str(row)}


def test_upgrading_twice_changes_nothing(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    assert migrate.pending(url) == NAMES

    assert migrate.upgrade(url) == NAMES
    assert migrate.upgrade(url) == []
    assert migrate.pending(url) == []


def test_rolling_everything_back_leaves_nothing(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    migrate.upgrade(url)
    with opened(url) as connection:
        fill(connection, "ten_rolled")
        assert connection.execute(LEFT).fetchall()

    assert migrate.rollback(url, len(NAMES)) == NAMES[::-1]

    with opened(url) as connection:
        assert connection.execute(LEFT).fetchall() == []
        rights = connection.execute("select has_schema_privilege('switchboard_app', 'public', 'create') as may").fetchone()
        assert rights == {"may": False}
    assert migrate.upgrade(url) == NAMES


def test_each_step_down_and_up_again_keeps_the_rows_and_the_shape(empty_database: Callable[[], str]) -> None:
    """From the newest step down to the first: rows written before the step is taken again are there afterwards."""
    url = empty_database()
    migrate.upgrade(url)
    whole = shape(url)
    for step in range(1, len(NAMES)):
        assert migrate.rollback(url, step) == NAMES[::-1][:step]
        with opened(url) as connection:
            written = list(fill(connection, f"ten_step{step}"))
        before = counted(url, written)
        assert migrate.upgrade(url) == NAMES[-step:]
        after = counted(url, written)
        assert after == before, f"after {NAMES[-step]}"
        assert shape(url) == whole, f"after {NAMES[-step]}"


def test_a_killed_upgrade_is_taken_up_again(empty_database: Callable[[], str]) -> None:
    """SIGKILL at several moments: what was applied is noted, what was not is not, and nothing has to be cleared away by hand."""
    for least in (0, 1, len(NAMES) // 2, len(NAMES) - 2):
        while (done := killed_after(url := empty_database(), least)) is None:
            pass

        assert migrate.upgrade(url) == NAMES[done:]
        assert migrate.pending(url) == []


def killed_after(url: str, least: int) -> int | None:
    """Runs an upgrade in a process of its own, kills it when `least` steps are noted, and returns how many are; None where it was quicker than us."""
    command = [sys.executable, "-c", "import sys; from store.migrate import upgrade; upgrade(sys.argv[1])", url]
    child = subprocess.Popen(command, cwd=Path(__file__).parent.parent.parent, stdin=subprocess.DEVNULL)
    with opened(url) as connection:
        while applied(connection) < max(least, 0) or not started(connection):
            if child.poll() is not None:
                assert child.returncode == 0
                return None
            time.sleep(0.001)
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        while connection.execute("select from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()").fetchone():
            time.sleep(0.01)
        return applied(connection)


def started(connection: psycopg.Connection[dict[str, Any]]) -> bool:
    found = connection.execute("select to_regclass('yoyo_lock') as it").fetchone()
    return bool(found and found["it"])


def applied(connection: psycopg.Connection[dict[str, Any]]) -> int:
    found = connection.execute("select to_regclass('_yoyo_migration') as it").fetchone()
    if not found or not found["it"]:
        return 0
    try:
        row = connection.execute("select count(migration_id) as n from _yoyo_migration").fetchone()
    except (psycopg.errors.UndefinedColumn, psycopg.errors.UndefinedTable):
        return 0
    return int(row["n"]) if row else 0


def test_a_step_that_fails_leaves_nothing_of_itself(empty_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The note and the step are one commit; after the fault is mended the upgrade goes on there."""
    url = empty_database()
    for path in migrate.FOLDER.glob("*.sql"):
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    broken, undo = tmp_path / "9998_broken.sql", tmp_path / "9998_broken.rollback.sql"
    broken.write_text("create table half (id int);\nselect 1 / 0;\n", "utf-8")
    undo.write_text("drop table half;\n", "utf-8")
    monkeypatch.setattr(migrate, "FOLDER", tmp_path)

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate.upgrade(url)

    with opened(url) as connection:
        assert connection.execute("select to_regclass('half') as it").fetchone() == {"it": None}
    assert migrate.pending(url) == ["9998_broken"]
    broken.write_text("create table half (id int);\n", "utf-8")
    assert migrate.upgrade(url) == ["9998_broken"]


def test_a_step_and_its_note_are_one_commit(empty_database: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends between the two leaves neither, so the step is not taken twice."""
    url = empty_database()

    class Ended(BaseException):
        pass

    def end(*_: object, **__: object) -> None:
        raise Ended

    with monkeypatch.context() as killed:
        killed.setattr("yoyo.backends.base.DatabaseBackend.mark_one", end)
        with pytest.raises(Ended):
            migrate.upgrade(url)

    assert migrate.upgrade(url) == NAMES


def test_a_schema_newer_than_the_code_is_refused(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    migrate.upgrade(url)
    with opened(url) as connection:
        connection.execute("insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) values ('x', '9999_tomorrow', now())")
        before = connection.execute(LEFT).fetchall()

    for refused in (lambda: migrate.upgrade(url), lambda: migrate.rollback(url, 1), lambda: migrate.pending(url)):
        with pytest.raises(StartFailed, match=r"written by a newer version \(it has 9999_tomorrow\); start that version, or restore a backup"):
            refused()
    with opened(url) as connection:
        assert connection.execute(LEFT).fetchall() == before


def test_where_postgres_does_not_answer_it_says_so() -> None:
    with pytest.raises(StartFailed, match="Postgres does not answer at the owner's address"):
        migrate.upgrade("postgresql://nobody:nothing@127.0.0.1:1/none?connect_timeout=2")


def test_the_owner_is_no_superuser(postgres: Postgres, empty_database: Callable[[], str]) -> None:
    """Our own owner may create roles; one who may not is enough where the two roles were made for him."""
    with opened(postgres.owner_url) as connection:
        rights = connection.execute("select rolsuper, rolbypassrls, rolcreaterole from pg_roles where rolname = current_user").fetchone()
        assert rights == {"rolsuper": False, "rolbypassrls": False, "rolcreaterole": True}
        plain = f"plain_{secrets.token_hex(4)}"
        connection.execute(sql.SQL("create role {} login password 'plain'").format(sql.Identifier(plain)))
        connection.execute(sql.SQL("grant switchboard_resolver to {} with set true, inherit true").format(sql.Identifier(plain)))
        url = empty_database()
        database = url.rpartition("/")[2]
        connection.execute(sql.SQL("alter database {} owner to {}").format(sql.Identifier(database), sql.Identifier(plain)))
    host = url.rpartition("@")[2]
    plain_url = f"postgresql://{plain}:plain@{host}"
    try:
        assert migrate.upgrade(plain_url) == NAMES
        with opened(plain_url) as connection:
            fill(connection, "ten_plain")
        assert migrate.rollback(plain_url, len(NAMES)) == NAMES[::-1]
    finally:
        with opened(postgres.owner_url) as connection:
            connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(database)))
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(plain)))
