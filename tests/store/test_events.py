"""The order of events: a transaction that commits late is never passed over by a reader's cursor."""

import asyncio
import random
from typing import Any

import psycopg

from domain.ids import new_id
from embedded.postgres import Postgres
from store import events
from store.events import Cursor, Event
from store.pool import Database
from tests.conftest import APP_PASSWORD
from tests.world import World

INSERT = "insert into events (tenant_id, kind, subject) values (%s, 'test', %s)"


async def read(db: Database, tenant: str, cursor: Cursor, limit: int = 500) -> list[Event]:
    async with db.transaction(tenant) as tx:
        return await events.after(tx, cursor, limit)


async def newest(db: Database, tenant: str) -> Cursor:
    async with db.transaction(tenant) as tx:
        return await events.newest(tx)


def place(event: Event) -> Cursor:
    return Cursor(event.xid, event.id)


async def test_an_older_transaction_that_commits_later_is_not_skipped(world: World, postgres: Postgres) -> None:
    start = await newest(world.parts.db, world.tenant)
    with psycopg.connect(postgres.owner_url) as slow, psycopg.connect(postgres.owner_url) as quick:
        slow.execute(INSERT, (world.tenant, "slow"))
        quick.execute(INSERT, (world.tenant, "quick"))
        quick.commit()

        assert [e.subject for e in await read(world.parts.db, world.tenant, start)] == []
        assert await newest(world.parts.db, world.tenant) == start

        slow.commit()

    seen = await read(world.parts.db, world.tenant, start)
    assert [e.subject for e in seen] == ["slow", "quick"]
    assert await read(world.parts.db, world.tenant, place(seen[-1])) == []


async def test_places_are_in_the_order_of_numbers_not_of_words(world: World, sql: psycopg.Connection[dict[str, Any]]) -> None:
    """Transaction 10 comes after transaction 9, also where they are written out."""
    tenant = new_id("ten")
    sql.execute("insert into tenants (tenant_id, name) values (%s, %s)", (tenant, tenant.replace("_", "-")))
    for xid in (8, 9, 10, 11, 100, 101):
        sql.execute("insert into events (tenant_id, xid, kind, subject) values (%s, %s::text::xid8, 'test', %s)", (tenant, str(xid), str(xid)))

    seen: list[str] = []
    cursor = Cursor("0", 0)
    while page := await read(world.parts.db, tenant, cursor, 1):
        seen += [event.subject for event in page]
        cursor = place(page[-1])

    assert seen == ["8", "9", "10", "11", "100", "101"]
    assert (await newest(world.parts.db, tenant)).xid == "101"


async def test_a_transaction_that_is_undone_holds_nobody_up(world: World, postgres: Postgres) -> None:
    start = await newest(world.parts.db, world.tenant)
    with psycopg.connect(postgres.owner_url) as undone, psycopg.connect(postgres.owner_url) as quick:
        undone.execute(INSERT, (world.tenant, "undone"))
        quick.execute(INSERT, (world.tenant, "quick"))
        quick.commit()
        undone.rollback()

    assert [e.subject for e in await read(world.parts.db, world.tenant, start)] == ["quick"]


async def test_a_reader_in_pages_misses_nothing_while_many_write(world: World, postgres: Postgres) -> None:
    """Writers whose transactions overlap and end in any order; the reader's pages are small, so its cursor stands within transactions."""
    written: set[str] = set()
    app = postgres.app_url(APP_PASSWORD)

    async def write(number: int, dice: random.Random) -> None:
        async with await psycopg.AsyncConnection.connect(app, autocommit=True) as connection:
            for turn in range(12):
                subjects = [f"{number}/{turn}/{n}" for n in range(dice.randrange(1, 4))]
                async with connection.transaction():
                    await connection.execute("select set_config('app.tenant_id', %s, true)", (world.tenant,))
                    for subject in subjects:
                        await connection.execute(INSERT, (world.tenant, subject))
                        await asyncio.sleep(dice.random() * 0.01)
                written.update(subjects)

    cursor = await newest(world.parts.db, world.tenant)
    seen: list[Event] = []
    writing = asyncio.gather(*(write(number, random.Random(number)) for number in range(6)))
    async with asyncio.timeout(20):
        while not writing.done() or {event.subject for event in seen} < written:
            page = await read(world.parts.db, world.tenant, cursor, 3)
            seen += page
            cursor = place(page[-1]) if page else cursor
            await asyncio.sleep(0)
    await writing

    assert [(int(e.xid), e.id) for e in seen] == sorted((int(e.xid), e.id) for e in seen)
    subjects = [event.subject for event in seen]
    assert len(subjects) == len(set(subjects)), "nothing is seen twice"
    assert set(subjects) == written


async def test_what_people_look_at_is_told(world: World, sql: psycopg.Connection[dict[str, Any]]) -> None:
    """A message, its conversation and the account each leave an event; another tenant's reader sees none of them."""
    start = await newest(world.parts.db, world.tenant)
    accepted = await world.write("echo hello")
    sql.execute("update accounts set state = 'error' where tenant_id = %s", (world.tenant,))

    told = {(e.kind, e.state): e for e in await read(world.parts.db, world.tenant, start)}

    assert told["message", "held"].subject == accepted.message_id
    assert told["message", "held"].conversation_id == accepted.conversation_id
    assert told["conversation", "undecided"].subject == accepted.conversation_id
    assert told["account", "error"].subject == world.account
    assert await read(world.parts.db, new_id("ten"), Cursor("0", 0)) == []
