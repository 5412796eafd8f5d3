"""Hints: batched, heard across processes, and back after a lost connection; whoever missed any is told to look."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import psycopg
import pytest

from embedded.postgres import Postgres
from store.notices import Notices, heard
from tests.conftest import APP_PASSWORD

ANYTHING = ("", "")
SOON = 60.0


@pytest.fixture
async def notices(postgres: Postgres) -> AsyncIterator[Notices]:
    made = Notices(postgres.app_url(APP_PASSWORD))
    yield made
    await made.close()


class Ear:
    """Listens in the background and keeps what it heard."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str]] = []

    async def until(self, met: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while not met():
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Ear]:
    ear = Ear()

    async def listen() -> None:
        async with aclosing(heard(url)) as hints:
            async for hint in hints:
                ear.heard.append(hint)

    task = asyncio.create_task(listen())
    await ear.until(lambda: ear.heard == [ANYTHING])
    yield ear
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def end_connections(sql: psycopg.Connection[dict[str, Any]], query: str) -> int:
    """Ends the connections whose last statement is like this, as a restarted Postgres would."""
    ended = sql.execute(
        "select pg_terminate_backend(pid) as ended from pg_stat_activity"
        " where usename = 'switchboard_app' and datname = current_database() and query ilike %s",
        (query,),
    ).fetchall()
    return len(ended)


async def test_a_hint_is_heard_and_says_ids_only(postgres: Postgres, notices: Notices) -> None:
    async with listening(postgres.app_url(APP_PASSWORD)) as ear:
        notices.tell("ten_a", "con_b")
        notices.tell("ten_a")

        await ear.until(lambda: {("ten_a", "con_b"), ("ten_a", "-")} <= set(ear.heard))


async def test_hints_of_one_moment_are_batched(postgres: Postgres, notices: Notices) -> None:
    """A thousand changes of one conversation cost one hint, of ten conversations ten."""
    async with listening(postgres.app_url(APP_PASSWORD)) as ear:
        for number in range(1000):
            notices.tell("ten_batched", f"con_{number % 10}")
        await ear.until(lambda: len({hint for hint in ear.heard if hint[0] == "ten_batched"}) == 10)
        await asyncio.sleep(0.1)

        assert len([hint for hint in ear.heard if hint[0] == "ten_batched"]) == 10


async def test_a_listener_that_was_cut_off_comes_back_and_is_told_to_look(
    postgres: Postgres, notices: Notices, sql: psycopg.Connection[dict[str, Any]]
) -> None:
    async with listening(postgres.app_url(APP_PASSWORD)) as ear:
        assert end_connections(sql, "listen switchboard%") >= 1

        await ear.until(lambda: ear.heard.count(ANYTHING) == 2)
        notices.tell("ten_after", "con_a")
        await ear.until(lambda: ("ten_after", "con_a") in ear.heard)


async def test_a_teller_that_was_cut_off_tells_it_again(postgres: Postgres, notices: Notices, sql: psycopg.Connection[dict[str, Any]]) -> None:
    async with listening(postgres.app_url(APP_PASSWORD)) as ear:
        notices.tell("ten_cut", "con_before")
        await ear.until(lambda: ("ten_cut", "con_before") in ear.heard)
        assert end_connections(sql, "select pg_notify%") >= 1

        notices.tell("ten_cut", "con_after")

        await ear.until(lambda: ("ten_cut", "con_after") in ear.heard)


async def test_telling_never_waits_and_never_fails_while_postgres_is_away() -> None:
    away = Notices("postgresql://nobody:nothing@127.0.0.1:1/none?connect_timeout=1")
    for number in range(100):
        away.tell("ten_away", f"con_{number}")
    await asyncio.sleep(0.05)
    away.tell("ten_away")

    await asyncio.wait_for(away.close(), SOON)
