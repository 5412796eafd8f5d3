"""What waits, as Prometheus is told it: counted over all tenants, by kinds and states alone, and seldom."""

import math
import re
from typing import Any

import psycopg
import pytest

import api.metrics
from api.metrics import Watch
from domain.ids import new_id
from embedded.ports import free_port
from parts import Parts
from store.figures import Figures, of_all
from store.pool import Database
from tests.world import World, make_world

LONG_AGO = "now() - interval '4000 s'"


@pytest.fixture
async def before(parts: Parts, world: World) -> Figures:
    """What waited before the test: the database is shared, so what other tests left waiting is ended, and cannot be answered meanwhile."""
    world.sql.execute("update messages set state = 'cancelled' where state in ('accepted', 'held', 'pending')")
    return await of_all(parts.db)


async def held(world: World, text: str) -> str:
    """A message that nobody looks at: its conversation is undecided, and no worker runs."""
    return (await world.write(text, chat=new_id("vis"))).message_id


def make(world: World, message: str, state: str) -> None:
    """Gives a message a state, long ago."""
    where = f"due_at = {LONG_AGO}, accepted_at = {LONG_AGO} where tenant_id = %s and id = %s"
    world.sql.execute(f"update messages set state = %s, {where}".encode(), (state, world.tenant, message))


def told() -> dict[str, float]:
    """What the gauges say."""
    return {name: gauge._value.get() for gauge, name in api.metrics.GAUGES.items()}


async def test_what_waits_is_counted_over_all_tenants(sql: psycopg.Connection[Any], parts: Parts, world: World, before: Figures) -> None:
    other = await make_world(sql, parts)
    for tenant in (world, other):
        for state in ("pending", "parked", "unknown"):
            make(tenant, await held(tenant, f"echo {state}"), state)
    await held(world, "echo held")

    now = await of_all(parts.db)

    assert [now.unanswered - before.unanswered, now.parked - before.parked, now.unknown - before.unknown] == [2, 2, 2]
    assert now.oldest_unanswered >= 4000
    sql.execute("update messages set state = 'refused' where tenant_id = any(%s)", ([world.tenant, other.tenant],))
    assert (await of_all(parts.db)).unanswered == before.unanswered


async def test_who_was_paused_or_handed_off_is_not_waiting_for_us(sql: psycopg.Connection[Any], parts: Parts, world: World, before: Figures) -> None:
    accepted = await world.write("echo paused", chat="paused")
    session = new_id("ses")
    row = "insert into sessions (tenant_id, id, agent_id, mode, scope, life) values (%s, %s, %s, 'copilot', %s, 'open')"
    sql.execute(row, (world.tenant, session, world.agent, session))
    settle = "update conversations set session_id = %s, state = 'settled' where tenant_id = %s and id = %s"
    sql.execute(settle, (session, world.tenant, accepted.conversation_id))
    make(world, accepted.message_id, "pending")

    open_ = (await of_all(parts.db)).unanswered
    sql.execute("update sessions set life = 'suspended' where tenant_id = %s and id = %s", (world.tenant, session))

    assert open_ - before.unanswered == 1
    assert (await of_all(parts.db)).unanswered == before.unanswered


async def test_an_approval_that_waits_and_a_promise_that_is_past(sql: psycopg.Connection[Any], live: World, parts: Parts, before: Figures) -> None:
    answer = await live.api.post("/v1/approvals", json={"action": "deploy", "arguments": {}, "approvers": ["owner"], "within": 600})
    asked = str(answer.json()["id"])
    sql.execute(f"update approvals set created_at = {LONG_AGO} where tenant_id = %s and id = %s".encode(), (live.tenant, asked))
    now = await of_all(parts.db)
    scrape = (await live.api.get("/metrics")).text
    await live.api.post(f"/v1/approvals/{asked}/decide", json={"verdict": "denied"})

    assert now.approvals - before.approvals == 1
    assert now.oldest_approval >= 4000
    assert re.search(r"^switchboard_approvals_pending \d+\.0$", scrape, re.MULTILINE)
    assert live.tenant not in scrape


async def test_it_is_counted_once_however_many_ask(parts: Parts, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api.metrics, "KEPT_FOR", 3600.0)
    watch = Watch(parts.db)
    await watch.look()
    first = told()
    make(world, await held(world, "echo later"), "parked")
    await watch.look()

    assert told()["parked"] == first["parked"]
    await Watch(parts.db).look()
    assert told()["parked"] == first["parked"] + 1


async def test_while_postgres_is_away_nobody_knows() -> None:
    """Not a number raises no alert of its own and hides none: zero would say that all is well."""
    away = Database(f"postgresql://nobody@127.0.0.1:{free_port()}/nothing")
    await away.open()
    await Watch(away).look()
    await away.close()

    assert [name for name, value in told().items() if not math.isnan(value)] == []
