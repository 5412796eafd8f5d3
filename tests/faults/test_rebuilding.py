"""What is promised anew when Temporal turns out to be another one, and what is left as it is."""

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from pydantic import SecretStr

from activities.sweep import Sweep
from domain.ids import new_id
from embedded.postgres import Postgres
from parts import Parts
from settings import Settings
from store.migrate import upgrade
from tests.conftest import APP_PASSWORD
from tests.store.conftest import empty_database
from tests.world import World
from wiring import opened

__all__ = ["empty_database"]

LATER = "update sessions set wake_at = now() + interval '3 days' where tenant_id = %s and id = %s"
SOON = "update sessions set wake_at = now() + interval '50 s', wakes = 5 where tenant_id = %s and id = %s"


@pytest.fixture(scope="module")
def own_url(empty_database: Callable[[], str]) -> str:
    """A database of its own: the worker of other tests sweeps the shared one, and is at home in another Temporal."""
    url = empty_database()
    upgrade(url, APP_PASSWORD)
    return url


@pytest.fixture
def sql(own_url: str) -> Iterator[psycopg.Connection[dict[str, object]]]:
    """The owner's view of it."""
    with psycopg.connect(own_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
async def parts(settings: Settings, postgres: Postgres, own_url: str) -> AsyncIterator[Parts]:
    """The parts of a process over it."""
    name = own_url.rpartition("/")[2]
    app_url = f"{postgres.app_url(APP_PASSWORD).rpartition('/')[0]}/{name}"
    async with opened(settings.model_copy(update={"database_url": SecretStr(app_url), "owner_database_url": SecretStr(own_url)}), "tests") as made:
        yield made


class Silent:
    """Pokes that only note what they were asked for, in a Temporal with an id."""

    def __init__(self, home: str) -> None:
        self.id = home
        self.poked: list[str] = []

    async def session(self, tenant: str, session: str) -> None:
        self.poked.append(session)

    async def routing(self, tenant: str, conversation: str) -> None:
        self.poked.append(conversation)

    async def approval(self, tenant: str, approval: str) -> None:
        self.poked.append(approval)

    async def home(self) -> str:
        return self.id


async def rebuild(world: World, home: str) -> int:
    promised: int = (await world.parts.db.call("sweep/rebuild", dict, {"tenant": world.tenant, "namespace": home}))["promised"]
    return promised


def session(world: World) -> str:
    """A row of an open session."""
    id_ = new_id("ses")
    world.sql.execute(
        "insert into sessions (tenant_id, id, agent_id, mode, scope) values (%s, %s, %s, 'copilot', %s)", (world.tenant, id_, world.agent, id_)
    )
    return id_


def approval(world: World, **columns: Any) -> str:
    """A row of an approval that waits, whose workflow has read its clock."""
    id_ = new_id("apr")
    given = {"tenant_id": world.tenant, "id": id_, "action": "a", "arguments_sha256": "", "requester": "r", "approvers": "{}"} | columns
    names, places = ", ".join(given), ", ".join(["%s"] * len(given))
    world.sql.execute(
        f"insert into approvals ({names}, deadline_at, wake_at) values ({places}, now() + interval '2 h', now() + interval '1 h')",
        tuple(given.values()),
    )
    return id_


async def test_what_is_open_is_promised_anew_once_with_the_deadlines_it_has(world: World) -> None:
    waiting, over = approval(world), approval(world, state="decided", verdict="denied")
    soon, later, resting = session(world), session(world), session(world)
    for statement, id_ in ((SOON, soon), (LATER, later)):
        world.sql.execute(statement, (world.tenant, id_))
    before = world.rows("select id, deadline_at from approvals where tenant_id = %s order by id")

    assert await rebuild(world, "first") == 2

    promised = {row["id"] for row in world.rows("select id from approvals where tenant_id = %s and wake_at <= now()")}
    promised |= {row["id"] for row in world.rows("select id from sessions where tenant_id = %s and wake_at <= now()")}
    assert promised == {waiting, soon}
    assert world.rows("select id, deadline_at from approvals where tenant_id = %s order by id") == before
    assert world.rows("select wakes from sessions where tenant_id = %s and id = %s", soon) == [{"wakes": 0}]
    assert world.rows("select 1 from sessions where tenant_id = %s and id = %s and wake_at > now() + interval '2 days'", later)
    assert world.rows("select wake_at from sessions where tenant_id = %s and id = %s", resting) == [{"wake_at": None}]
    assert [await rebuild(world, home) for home in ("first", "second", "second", "first")] == [0, 2, 0, 2]
    assert over not in promised


async def test_the_sweep_of_a_tenant_without_an_account_pokes_what_was_lost(world: World) -> None:
    """Its approvals were asked for by programs; nothing else of it is ever due."""
    world.sql.execute("delete from bindings where tenant_id = %s", (world.tenant,))
    world.sql.execute("delete from accounts where tenant_id = %s", (world.tenant,))
    waiting = approval(world)
    pokes = Silent(f"home of {world.tenant}")

    await Sweep(world.parts.db, pokes, 1.0, 1e9).once()

    assert waiting in pokes.poked


async def test_while_temporal_is_away_the_sweep_looks_for_its_id_in_every_round(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting = approval(world)
    pokes = Silent(f"home of {world.tenant}")
    sweep = Sweep(world.parts.db, pokes, 1.0, 1e9)

    async def away() -> str:
        raise RuntimeError("Temporal is away")

    with monkeypatch.context() as patched:
        patched.setattr(pokes, "home", away)
        await sweep.once()
    assert waiting not in pokes.poked
    await sweep.once()

    assert waiting in pokes.poked
