"""Row-level security, the role, the schema, durability and the clock: each is really broken in a database of its own, and mended."""

import psycopg
import pytest

from embedded.ports import free_port
from embedded.running import Running
from store.migrate import rollback, upgrade
from tests.doctor.conftest import Elsewhere, Look, broken, executed, port_of, skipped

OF_POSTGRES = {"role", "schema", "isolation", "unanswered", "promises", "parked", "unknown", "api-keys", "sealed"}
SKEWED = (
    "create function public.clock_timestamp() returns timestamptz language sql volatile as $$ select pg_catalog.clock_timestamp() + interval '{}' $$"
)
"""A Postgres whose clock is wrong, for whoever looks into this schema first."""


@pytest.mark.parametrize(
    ("breaks", "mends", "named"),
    [
        ("alter table messages disable row level security", "alter table messages enable row level security", "messages"),
        ("alter table keys no force row level security", "alter table keys force row level security", "keys"),
        ("create policy leak on people to public using (true)", "drop policy leak on people", "people"),
        ("create table orders (tenant_id text)", "drop table orders", "orders"),
    ],
)
async def test_a_table_that_shows_other_tenants_is_seen(away: Look, elsewhere: Elsewhere, breaks: str, mends: str, named: str) -> None:
    executed(elsewhere.sql, breaks)
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, mends)

    assert broken(found) == {"isolation": "fail"}
    assert named in found["isolation"].found
    assert broken(await away("isolation")) == {}


async def test_what_the_check_says_mends_it(away: Look, elsewhere: Elsewhere) -> None:
    executed(elsewhere.sql, "alter table votes disable row level security")

    told = (await away("isolation"))["isolation"].mend.split("`")[1]
    executed(elsewhere.sql, told)

    assert broken(await away("isolation")) == {}


@pytest.mark.parametrize(
    ("breaks", "mends", "said"),
    [
        ("alter role switchboard_app createrole", "alter role switchboard_app nocreaterole", "may make roles"),
        ("grant create on schema public to switchboard_app", "revoke create on schema public from switchboard_app", "may make tables"),
        (
            "grant create on schema public to switchboard_app; alter table drafts owner to switchboard_app",
            "alter table drafts owner to switchboard; revoke create on schema public from switchboard_app",
            "owns drafts",
        ),
        (
            "create role keeper; grant create on schema public to keeper; alter table drafts owner to keeper; grant keeper to switchboard_app",
            "alter table drafts owner to switchboard; revoke create on schema public from keeper; drop role keeper",
            "may act as keeper",
        ),
    ],
)
async def test_a_role_that_may_too_much_is_seen(away: Look, elsewhere: Elsewhere, breaks: str, mends: str, said: str) -> None:
    executed(elsewhere.sql, *breaks.split("; "))
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, *mends.split("; "))

    assert broken(found) == {"role": "fail"}
    assert said in found["role"].found
    assert broken(await away("role")) == {}


async def test_the_owners_connection_in_the_place_of_the_apps_is_seen(away: Look, elsewhere: Elsewhere) -> None:
    found = await away("role", "isolation", DATABASE_URL=elsewhere.owner_url)

    assert broken(found) == {"role": "fail"}


async def test_a_migration_that_is_missing_is_named(away: Look, elsewhere: Elsewhere) -> None:
    undone = rollback(elsewhere.owner_url)
    try:
        found = await away()
    finally:
        upgrade(elsewhere.owner_url)

    assert broken(found) == {"schema": "fail"}
    assert undone[0] in found["schema"].found
    assert broken(await away("schema")) == {}


async def test_a_newer_schema_is_named(away: Look, elsewhere: Elsewhere) -> None:
    executed(elsewhere.sql, "insert into _yoyo_migration (migration_hash, migration_id, applied_at_utc) values ('x', '9999_later', now())")
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, "delete from _yoyo_migration where migration_id = '9999_later'")

    assert broken(found) == {"schema": "fail"}
    assert "9999_later" in found["schema"].found


async def test_a_database_without_the_schema_is_told_once(away: Look, stack: Running, elsewhere: Elsewhere) -> None:
    with psycopg.connect(stack.told["database_url"], autocommit=True) as connection:
        connection.execute("create database bare")
        try:
            urls = {"DATABASE_URL": elsewhere.app_url, "SWITCHBOARD_OWNER_DATABASE_URL": elsewhere.owner_url}
            found = await away(**{name: url.replace("/elsewhere", "/bare") for name, url in urls.items()})
        finally:
            connection.execute("drop database bare with (force)")

    assert broken(found) == {"schema": "fail"}
    assert skipped(found) >= OF_POSTGRES - {"schema", "role"}


async def test_commits_that_may_be_lost_are_seen(away: Look, elsewhere: Elsewhere) -> None:
    executed(elsewhere.sql, "alter role switchboard_app in database elsewhere set synchronous_commit = off")
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, "alter role switchboard_app in database elsewhere reset synchronous_commit")

    assert broken(found) == {"postgres": "fail"}
    assert "synchronous_commit" in found["postgres"].found
    assert broken(await away("postgres")) == {}


@pytest.mark.parametrize(("ahead", "state", "said"), [("5.5 s", "warn", "5 s ahead of"), ("-150 s", "fail", "2 min behind")])
async def test_a_clock_that_is_wrong_is_seen(away: Look, elsewhere: Elsewhere, ahead: str, state: str, said: str) -> None:
    executed(elsewhere.sql, SKEWED.format(ahead), "alter role switchboard_app in database elsewhere set search_path = public, pg_catalog")
    try:
        found = await away()
    finally:
        executed(elsewhere.sql, "alter role switchboard_app in database elsewhere reset search_path", "drop function public.clock_timestamp()")

    assert broken(found) == {"clocks": state}
    assert f"Postgres's clock is {said} this machine's" in found["clocks"].found
    assert broken(await away("clocks")) == {}


async def test_an_address_that_is_none_is_told_once_and_not_shown(away: Look) -> None:
    found = await away(DATABASE_URL="a secret, and no address")

    assert broken(found) == {"postgres": "fail"}
    assert skipped(found) >= OF_POSTGRES
    assert "secret" not in repr(found)


@pytest.mark.parametrize("wrong", ["port", "password"])
async def test_a_postgres_that_does_not_let_us_in_is_told_once(away: Look, elsewhere: Elsewhere, wrong: str) -> None:
    before, _, place = elsewhere.app_url.rpartition("@")
    url = f"{before}@{place.replace(str(port_of(elsewhere.app_url)), str(free_port()))}" if wrong == "port" else f"{before}-wrong@{place}"

    found = await away(DATABASE_URL=url)

    assert broken(found) == {"postgres": "fail"}
    assert skipped(found) >= OF_POSTGRES
    assert found["clocks"].state == "ok"
    assert before.rpartition(":")[2] not in repr(found)
