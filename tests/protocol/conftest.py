"""A database of its own for the protocol, so that no worker of other tests looks after its sessions."""

import secrets
from collections.abc import AsyncIterator, Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql as composed

from embedded.postgres import Postgres
from store.migrate import upgrade
from store.pool import Database
from tests.conftest import APP_PASSWORD
from tests.protocol.stage import Stage, make_stage

Owner = psycopg.Connection[dict[str, Any]]


@pytest.fixture(scope="session")
def protocol_database(postgres: Postgres) -> Iterator[str]:
    """The name of a migrated database."""
    name = f"protocol_{secrets.token_hex(4)}"
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute(composed.SQL("create database {}").format(composed.Identifier(name)))
        upgrade(at(postgres.owner_url, name), APP_PASSWORD)
        yield name
        connection.execute(composed.SQL("drop database {} with (force)").format(composed.Identifier(name)))


def at(url: str, database: str) -> str:
    """The address of another database of the same server."""
    return f"{url.rpartition('/')[0]}/{database}"


@pytest.fixture(scope="session")
def app_url(postgres: Postgres, protocol_database: str) -> str:
    """The app's address of the protocol's database."""
    return at(postgres.app_url(APP_PASSWORD), protocol_database)


@pytest.fixture(scope="session")
def owner(postgres: Postgres, protocol_database: str) -> Iterator[Owner]:
    """The owner's view of it."""
    with psycopg.connect(at(postgres.owner_url, protocol_database), autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture(scope="session")
async def db(app_url: str) -> AsyncIterator[Database]:
    """The app's way to it."""
    database = Database(app_url, size=24, name="protocol")
    await database.open()
    yield database
    await database.close()


@pytest.fixture
def stage(owner: Owner, db: Database) -> Stage:
    """A tenant with two agents and an open account."""
    return make_stage(owner, db)


@pytest.fixture(autouse=True)
def no_deadlocks(owner: Owner) -> Iterator[None]:
    """A deadlock is a fault in the order of locks, also where a repetition hides it."""
    before = deadlocks(owner)
    yield
    assert deadlocks(owner) == before, "Postgres had to break a deadlock"


def deadlocks(owner: Owner) -> int:
    """How many deadlocks Postgres broke in this database."""
    owner.execute("select pg_stat_clear_snapshot()")
    row = owner.execute("select deadlocks from pg_stat_database where datname = current_database()").fetchone()
    return int(row["deadlocks"]) if row else 0
