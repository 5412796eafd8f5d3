"""`migrate`, up and down: over an address of either form, over the folder of a stopped `up`, and never without being asked."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import StartFailed
from embedded.postgres import Postgres
from store import migrate
from tests.store.conftest import empty_database

NAMES = sorted(path.stem for path in migrate.FOLDER.glob("*.sql") if not path.stem.endswith(".rollback"))
EARLIER = NAMES[-3]
__all__ = ["empty_database"]


def command(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
    """What the command says; nobody is there to be asked."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHBOARD_", "DATABASE_URL"))}
    return subprocess.run(
        [sys.executable, "-P", "-m", "cli", "migrate", *words],
        env=outside | told,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
    )


def said(ran: subprocess.CompletedProcess[str]) -> str:
    return " ".join((ran.stdout + ran.stderr).split())


def test_it_goes_up_and_down_and_never_down_unless_somebody_says_so(empty_database: Callable[[], str]) -> None:
    url = empty_database()

    up = command(SWITCHBOARD_OWNER_DATABASE_URL=url)
    asked = command("--down-to", EARLIER, SWITCHBOARD_OWNER_DATABASE_URL=url)
    assert migrate.pending(url) == []
    down = command("--down-to", EARLIER.partition("_")[0], "--yes", SWITCHBOARD_OWNER_DATABASE_URL=url)
    again = command("--down-to", EARLIER, SWITCHBOARD_OWNER_DATABASE_URL=url)

    assert up.stdout.splitlines() == [f"applied {name}" for name in NAMES], up.stderr
    assert (asked.returncode, "say --yes" in said(asked)) == (1, True)
    assert down.stdout.splitlines() == [f"undone {name}" for name in NAMES[:-3:-1]], down.stderr
    assert (again.returncode, said(again)) == (0, f"The schema is at {EARLIER} already.")
    assert migrate.pending(url) == NAMES[-2:]


def test_an_address_may_be_given_in_words(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    words = make_conninfo("", **conninfo_to_dict(url))
    assert "://" not in words

    assert migrate.upgrade(words) == NAMES
    assert migrate.down_to(words, EARLIER) == NAMES[:-3:-1]

    assert migrate.pending(url) == NAMES[-2:]


def test_a_databases_name_may_hold_any_sign(postgres: Postgres, odd_name: str) -> None:
    url = make_conninfo(postgres.owner_url, dbname=odd_name)

    assert migrate.upgrade(url) == NAMES
    assert migrate.down_to(url, NAMES[0]) == NAMES[:0:-1]


@pytest.fixture
def odd_name(postgres: Postgres) -> Iterator[str]:
    name = "50% of & a/database? 'quoted'"
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        yield name
        connection.execute(sql.SQL("drop database {}").format(sql.Identifier(name)))


def test_what_is_no_migration_is_refused_with_those_there_are(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    with pytest.raises(StartFailed, match="no migration 0001; it has none"):
        migrate.down_to(url, "0001")
    migrate.upgrade(url)

    for name in ("9999", "12", "0001_", "tomorrow"):
        with pytest.raises(StartFailed, match=f"no migration {name}; choose one from {NAMES[0]} to {NAMES[-1]}"):
            migrate.down_to(url, name)
    assert migrate.pending(url) == []


def test_a_folder_without_a_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    ran = command("--data", str(tmp_path / "nothing"), "--down-to", "0001", "--yes")

    assert ran.returncode == 1
    assert "holds no database of `up`" in said(ran)
    assert not (tmp_path / "nothing").exists()
