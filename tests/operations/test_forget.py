"""Forgetting a person: nothing they wrote is left in any column of any table, and everybody else's rows are as they were."""

import asyncio
from typing import Any

import psycopg
import pytest
from psycopg import sql as composed

from domain.errors import Conflict, NotFound
from settings import Settings
from store import audit
from store.forget import find, forget
from tests.cli.running import Terminal
from tests.world import World

ANA, BEN, EVE = "ana-quillolu", "ben-killolu", "eve-zillolu"
MARKS = ("quillolu", "Quillolu")
"""What tells Ana's words from everything else in the database: ids are made without the letters i, l, o and u, so none holds one by chance."""
TEXTS = """
    select c.table_name, c.column_name from information_schema.columns c join information_schema.tables t using (table_schema, table_name)
     where c.table_schema = 'public' and t.table_type = 'BASE TABLE' and c.data_type in ('text', 'jsonb', 'ARRAY', 'json', 'character varying')"""


def left_of(sql: psycopg.Connection[Any], mark: str) -> list[str]:
    """Every column that holds a mark, in any row of anybody's."""
    found = []
    for row in sql.execute(TEXTS).fetchall():
        table, column = composed.Identifier(row["table_name"]), composed.Identifier(row["column_name"])
        query = composed.SQL("select 1 from {} where position({} in {}::text) > 0 limit 1").format(table, composed.Literal(mark), column)
        if sql.execute(query).fetchone():
            found.append(f"{row['table_name']}.{row['column_name']}")
    return found


def counted(world: World) -> dict[str, int]:
    """Rows of the tenant, by table."""
    tables = ("messages", "conversations", "sessions", "calls", "approvals", "votes", "requests", "steps", "people", "demo_refunds")
    return {table: world.rows(f"select count(*) as n from {table} where tenant_id = %s")[0]["n"] for table in tables}


def rows_of(world: World, chat: str) -> list[dict[str, Any]]:
    """Everything in the conversation of one chat."""
    there = "select m.* from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id"
    return world.rows(f"{there} where c.tenant_id = %s and c.chat = %s order by m.seq", chat)


async def refund(world: World, amount: int, to: str, verdict: str = "") -> str:
    """Somebody asks for a refund, and it is decided where a verdict is given. Returns the approval's id."""
    await world.write(f"refund {amount} to {to}", chat=ANA)
    row = await world.until("select id from approvals where tenant_id = %s and (arguments ->> 'amount')::numeric = %s", amount)
    if verdict:
        body = {"verdict": verdict, "comment": f"because of {to}"}
        assert (await world.api.post(f"/v1/approvals/{row['id']}/decide", json=body)).status_code == 200
        told = "select 1 as told from messages where tenant_id = %s and direction = 'outbound' and text like %s"
        await world.until(told, f"%{amount}%{verdict}%")
    return str(row["id"])


async def a_life(world: World) -> None:
    """Ana writes, is remembered, admitted, asks for three refunds and is waiting for one; Ben writes too."""
    await world.say("echo I am Ana Quillolu", chat=ANA)
    await world.say("remember street=Quillolu Road", chat=ANA)
    await world.say("plan call Quillolu; write to Quillolu", chat=ANA)
    await world.say("echo I am Ben", chat=BEN)
    conversation = (await world.until("select id from conversations where tenant_id = %s and chat = %s", ANA))["id"]
    assert (await world.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})).status_code == 200
    person = await world.until("select person_id as id from peers where tenant_id = %s and external_id = %s", ANA)
    world.sql.execute("update people set name = 'Ana Quillolu' where tenant_id = %s and id = %s", (world.tenant, person["id"]))
    async with world.parts.db.transaction(world.tenant) as tx:
        await audit.add(tx, "owner of the database", "applied", world.tenant, changes=["agent demo", "person Ana Quillolu"])
    await refund(world, 31, "Ana Quillolu", "approved")
    await refund(world, 32, "Ana Quillolu", "denied")
    await refund(world, 33, "Ana Quillolu")
    await world.until("select 1 as rests from sessions where tenant_id = %s and step = 0 and context ? 'street'")


async def test_no_mark_is_left_in_any_column_and_nobody_else_is_touched(live: World, sql: psycopg.Connection[Any]) -> None:
    await a_life(live)
    before, ben = counted(live), rows_of(live, BEN)
    assert {"messages.text", "calls.arguments", "approvals.comment", "votes.comment", "people.name", "demo_refunds.to", "audit.details"} <= {
        place for mark in MARKS for place in left_of(sql, mark)
    }

    _, forgotten = await asyncio.to_thread(forget, sql, live.tenant, "Ana Quillolu", "", "owner of the database")

    assert [left_of(sql, mark) for mark in MARKS] == [[], []]
    assert rows_of(live, BEN) == ben
    assert counted(live) == before
    assert forgotten.counts["approvals"] == 3
    audited = live.rows("select details, subject from audit where tenant_id = %s and action = 'person.forgotten'")
    assert [row["details"] for row in audited] == [dict(forgotten.counts)]
    assert live.rows("select details from audit where tenant_id = %s and action = 'applied'")[-1]["details"] == {"changes": ["agent demo", "person"]}
    assert live.rows("select count(*) as n from approvals where tenant_id = %s and state = 'pending'") == [{"n": 0}]
    assert await live.say("recall street", chat=ANA) != "Quillolu Road"
    assert await live.say("echo again", chat=ANA) == "again"
    assert await live.say("echo still here", chat=BEN) == "still here"
    with pytest.raises(NotFound):
        find(sql, live.tenant, "Ana Quillolu", "")


async def test_in_a_group_only_their_words_and_the_answers_to_them_go(live: World, sql: psycopg.Connection[Any]) -> None:
    for sender, words in ((BEN, "echo Ben was here"), (EVE, "echo Zillolu was here"), (BEN, "echo and stays")):
        inbound = live.inbound(words, chat="group").model_copy(update={"sender": sender})
        await live.answer(await live.parts.inbox.accept(inbound))

    known, _ = await asyncio.to_thread(forget, sql, live.tenant, EVE, "web", "owner of the database")

    assert (len(known.alone), len(known.shared)) == (0, 1)
    assert [row["text"] for row in rows_of(live, "group")] == ["echo Ben was here", "Ben was here", "", "", "echo and stays", "and stays"]
    assert left_of(sql, "Zillolu") == left_of(sql, "zillolu") == []


async def test_the_command_asks_and_refuses_who_signs_in(live: World, settings: Settings, shell: Terminal, sql: psycopg.Connection[Any]) -> None:
    await live.say("echo Zillolu", chat=EVE)
    owner = settings.owner_database_url.get_secret_value()
    told = {"DATABASE_URL": settings.database_url.get_secret_value(), "SWITCHBOARD_OWNER_DATABASE_URL": owner}

    unsure = await shell.run("forget", EVE, "--tenant", live.tenant, told=told)
    assert (unsure.code, unsure.err.strip()) == (1, "This cannot be undone; say --yes.")
    assert left_of(sql, "Zillolu")
    done = await shell.run("forget", EVE, "--tenant", live.tenant, "--yes", told=told)
    assert done.code == 0, done.err
    assert done.lines == ["Forgotten: 1 conversation with 2 messages, 0 calls, 0 approvals.", "Backups still hold it until they are deleted."]
    assert left_of(sql, "Zillolu") == []
    with pytest.raises(Conflict, match="sign in"):
        find(sql, live.tenant, "Owner", "")
