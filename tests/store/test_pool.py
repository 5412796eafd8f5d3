"""The pool: a task that is cancelled anywhere, or a connection that breaks, never makes another's write uncertain."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import psycopg
import pytest

from domain.errors import Invalid, NotFound, StoreUnavailable
from embedded.postgres import Postgres
from store import messages
from store.pool import Database
from tests.conftest import APP_PASSWORD
from tests.world import World

NAME = "pool-test"


@pytest.fixture
async def narrow(postgres: Postgres) -> AsyncIterator[Database]:
    """A pool of two connections, so that what one task leaves behind the next one gets."""
    db = Database(postgres.app_url(APP_PASSWORD), size=2, name=NAME)
    await db.open()
    await db.ping()
    yield db
    await db.close()


def left_open(sql: psycopg.Connection[dict[str, Any]]) -> list[dict[str, Any]]:
    query = "select pid, query from pg_stat_activity where application_name = %s and state like 'idle in transaction%%'"
    return sql.execute(query, (NAME,)).fetchall()


@pytest.mark.parametrize("kind", ["transaction", "call"])
async def test_a_task_that_is_cancelled_anywhere_leaves_a_connection_that_commits(
    world: World, narrow: Database, sql: psycopg.Connection[dict[str, Any]], kind: str
) -> None:
    """After so many turns of the loop, one by one, through the whole of a transaction; twice, as shutdowns do."""

    async def transaction() -> None:
        async with narrow.transaction(world.tenant) as tx:
            await tx.rows("members/by_name", dict, name="admin")
            await tx.rows("members/by_name", dict, name="admin")

    async def call() -> None:
        await messages.accept(narrow, world.inbound("cut off", chat="cut"))

    for twice in (False, True):
        for turns in range(40):
            task = asyncio.create_task(transaction() if kind == "transaction" else call())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            if twice:
                await asyncio.sleep(0)
                task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            stored = await messages.accept(narrow, world.inbound("kept", chat="kept"))

            seen = sql.execute("select seq from messages where id = %s", (stored.message_id,)).fetchall()
            assert seen == [{"seq": stored.seq}], f"cancelled after {turns} turns: the next message was answered and not committed"
            assert left_open(sql) == []


async def test_a_call_over_a_connection_that_broke_is_repeated(world: World, narrow: Database, sql: psycopg.Connection[dict[str, Any]]) -> None:
    for _ in range(3):
        sql.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", (NAME,))
        stored = await messages.accept(narrow, world.inbound("after the break"))

        assert not stored.duplicate


async def test_a_transaction_over_a_connection_that_broke_says_so_and_stores_nothing(
    world: World, narrow: Database, sql: psycopg.Connection[dict[str, Any]]
) -> None:
    async def broken() -> None:
        async with narrow.transaction(world.tenant) as tx:
            await tx.run("members/create_signin", hash=b"broken", member=world.member.id, minutes=1)
            sql.execute("select pg_terminate_backend(pid) from pg_stat_activity where application_name = %s", (NAME,))
            await tx.rows("members/by_name", dict, name="admin")

    with pytest.raises(StoreUnavailable):
        await broken()
    assert sql.execute("select 1 from signins where tenant_id = %s", (world.tenant,)).fetchall() == []

    async with asyncio.timeout(60):
        while True:
            try:
                await narrow.ping()
                break
            except StoreUnavailable:
                await asyncio.sleep(0.05)


async def test_while_postgres_is_away_it_says_so() -> None:
    away = Database("postgresql://nobody:nothing@127.0.0.1:1/none?connect_timeout=1", size=2, name=NAME)
    away._pool.timeout = 0.3
    await away.open()
    with pytest.raises(StoreUnavailable):
        await away.ping()
    await away.close()


async def test_what_postgres_refuses_is_an_error_of_ours(world: World, narrow: Database) -> None:
    with pytest.raises(NotFound):
        await messages.accept(narrow, world.inbound("hello", account="acc_none"))
    with pytest.raises(Invalid):
        await messages.accept(narrow, world.inbound("nul \0 byte"))
