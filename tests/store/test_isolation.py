"""One tenant never sees or touches another's rows: every table with a tenant_id, found from the catalogue, under attack."""

from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import ForeignKeyViolation, InsufficientPrivilege
from psycopg.rows import dict_row

from domain.ids import new_id
from embedded.postgres import Postgres
from tests.conftest import APP_PASSWORD
from tests.store.rows import Table, fill, insert, row_for, tables

Connection = psycopg.Connection[dict[str, Any]]
Rows = Mapping[str, Mapping[str, Any]]


@pytest.fixture(scope="module")
def owner(postgres: Postgres) -> Iterator[Connection]:
    with psycopg.connect(postgres.owner_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture(scope="module")
def all_tables(owner: Connection) -> list[Table]:
    """Every table with a tenant_id."""
    return tables(owner)


@pytest.fixture(scope="module")
def ours(owner: Connection, all_tables: list[Table]) -> Rows:
    """A tenant with a row in every table."""
    return fill(owner, new_id("ten"), all_tables)


@pytest.fixture(scope="module")
def theirs(owner: Connection, all_tables: list[Table]) -> Rows:
    """Another such tenant: the attacker."""
    return fill(owner, new_id("ten"), all_tables)


@pytest.fixture
def app(postgres: Postgres) -> Iterator[Connection]:
    """The app's role in a transaction that is undone."""
    with psycopg.connect(postgres.app_url(APP_PASSWORD), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


def act_as(app: Connection, rows: Rows) -> str:
    """Sets the transaction's tenant, as the app does."""
    tenant = str(rows["tenants"]["tenant_id"])
    app.execute("select set_config('app.tenant_id', %s, true)", (tenant,))
    return tenant


def touched(app: Connection, statement: sql.Composed, *params: object) -> int:
    """How many rows a statement touched; a refusal touches none."""
    try:
        with app.transaction():
            return app.execute(statement, params).rowcount
    except InsufficientPrivilege:
        return 0


def attacks(table: Table) -> list[sql.Composed]:
    """Reading, changing and deleting whatever can be reached."""
    name = sql.Identifier(table.name)
    return [
        sql.SQL("select * from {}").format(name),
        sql.SQL("update {} set tenant_id = tenant_id").format(name),
        sql.SQL("delete from {}").format(name),
    ]


def test_there_are_tables_to_test(all_tables: list[Table], ours: Rows, theirs: Rows) -> None:
    assert {"tenants", "keys", "messages", "approvals", "audit"} <= {table.name for table in all_tables}
    assert set(ours) == set(theirs) == {table.name for table in all_tables}


def test_without_a_tenant_nothing_is_seen_or_touched(app: Connection, all_tables: list[Table], ours: Rows) -> None:
    for setting in (None, ""):
        if setting is not None:
            app.execute("select set_config('app.tenant_id', '', true)")
        for table in all_tables:
            assert [touched(app, attack) for attack in attacks(table)] == [0, 0, 0], table.name
            with pytest.raises(InsufficientPrivilege), app.transaction():
                insert(app, table.name, row_for(table, str(ours["tenants"]["tenant_id"]), ours), "1")


def test_another_tenant_sees_and_touches_none_of_ours(app: Connection, all_tables: list[Table], ours: Rows, theirs: Rows) -> None:
    act_as(app, theirs)
    tenant = ours["tenants"]["tenant_id"]
    for table in all_tables:
        for attack in attacks(table):
            assert touched(app, attack + sql.SQL(" where tenant_id = %s"), tenant) == 0, attack.as_string()
        seen = app.execute(sql.SQL("select distinct tenant_id from {}").format(sql.Identifier(table.name))).fetchall()
        assert seen == [{"tenant_id": theirs["tenants"]["tenant_id"]}], table.name


def test_another_tenant_cannot_write_a_row_of_ours(app: Connection, all_tables: list[Table], ours: Rows, theirs: Rows) -> None:
    act_as(app, theirs)
    for table in all_tables:
        with pytest.raises(InsufficientPrivilege), app.transaction():
            insert(app, table.name, row_for(table, str(ours["tenants"]["tenant_id"]), ours), "1")


def test_another_tenant_cannot_give_its_row_to_us(app: Connection, all_tables: list[Table], ours: Rows, theirs: Rows) -> None:
    act_as(app, theirs)
    for table in all_tables:
        statement = sql.SQL("update {} set tenant_id = %s").format(sql.Identifier(table.name))
        with pytest.raises(InsufficientPrivilege), app.transaction():
            app.execute(statement, (ours["tenants"]["tenant_id"],))


def test_a_reference_cannot_point_to_another_tenants_row(owner: Connection, all_tables: list[Table], ours: Rows, theirs: Rows) -> None:
    """Even for the owner, whom row-level security lets through: the keys are composite."""
    tried = 0
    tenant = str(theirs["tenants"]["tenant_id"])
    for table in all_tables:
        for reference in table.references:
            if reference.table == "tenants":
                continue
            pairs = dict(zip(reference.columns, reference.theirs, strict=True))
            assert pairs["tenant_id"] == "tenant_id", f"{table.name}.{reference.name} is not composite with the tenant"
            stolen = {mine: ours[reference.table][its] for mine, its in pairs.items() if mine != "tenant_id"}
            changed = sql.SQL(", ").join(sql.SQL("{} = {}").format(sql.Identifier(name), sql.Literal(value)) for name, value in stolen.items())
            statement = sql.SQL("update {} set {} where tenant_id = {}").format(sql.Identifier(table.name), changed, sql.Literal(tenant))
            with pytest.raises(ForeignKeyViolation) as refused, owner.transaction():
                owner.execute(statement)
            assert refused.value.diag.constraint_name == reference.name
            tried += 1
    assert tried > 15


def test_every_table_forces_row_level_security_on_everyone(owner: Connection, all_tables: list[Table]) -> None:
    query = """
        select c.relrowsecurity as enabled, c.relforcerowsecurity as forced, c.relowner::regrole::text as owner,
               array(select p.policyname || ' to ' || array_to_string(p.roles, ',') from pg_policies p where p.tablename = c.relname) as policies
          from pg_class c where c.oid = %s::regclass"""
    for table in all_tables:
        row = owner.execute(query, (table.name,)).fetchone()
        assert row
        assert (row["enabled"], row["forced"]) == (True, True), table.name
        assert row["owner"] == "switchboard"
        expected = {"migration to switchboard", "tenant to switchboard_app"}
        assert set(row["policies"]) - {"resolver to switchboard_resolver"} == expected, table.name


def test_no_table_of_ours_is_without_a_tenant(owner: Connection, all_tables: list[Table]) -> None:
    """A table that is nobody's would be everybody's; only the migrations' own notes are, and the app cannot read them."""
    query = "select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f')"
    names = {row["relname"] for row in owner.execute(query)}
    others = names - {table.name for table in all_tables}
    assert others == {"_yoyo_log", "_yoyo_migration", "_yoyo_version", "yoyo_lock"}
    for name in others:
        row = owner.execute("select has_table_privilege('switchboard_app', %s, 'select, insert, update, delete') as may", (name,)).fetchone()
        assert row == {"may": False}, name


def test_what_is_written_down_for_good_can_only_be_added_to(app: Connection, ours: Rows) -> None:
    act_as(app, ours)
    change, remove = sql.SQL("update {} set tenant_id = tenant_id"), sql.SQL("delete from {}")
    for table, attempts in {"audit": [change, remove], "votes": [change, remove], "demo_refunds": [change, remove], "events": [change]}.items():
        for attempt in attempts:
            with pytest.raises(InsufficientPrivilege, match="permission denied"), app.transaction():
                app.execute(attempt.format(sql.Identifier(table)))
        assert app.execute(sql.SQL("select 1 as one from {}").format(sql.Identifier(table))).fetchall()
