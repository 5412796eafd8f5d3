"""What the app's role and the resolver's may do, and the shape that keeps tenants apart: functions, ways in, indexes."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, InvalidParameterValue, ObjectNotInPrerequisiteState, UndefinedObject
from psycopg.rows import dict_row

from domain.ids import new_id
from embedded.postgres import Postgres
from tests.conftest import APP_PASSWORD
from tests.store.rows import fill

Connection = psycopg.Connection[dict[str, Any]]

WAYS_IN = {
    "tenant_of_account(p_account text)": "text",
    "tenant_of_key(p_hash bytea)": "text",
    "tenant_of_token(p_hash bytea)": "text",
    "tenants_with_waiting_work(p_expired_before timestamp with time zone)": "SETOF text",
    "figures_of_all()": "figures",
}
"""The only functions that run with other rights than their caller's. They return a tenant's id and nothing else, or counts and ages."""

SEEN_BY_RESOLVER = {
    "accounts": {"tenant_id", "id"},
    "approvals": {"tenant_id", "wake_at", "state", "created_at"},
    "conversations": {"tenant_id", "wake_at", "id", "session_id", "handed_off_to"},
    "keys": {"tenant_id", "id", "hash"},
    "messages": {"tenant_id", "conversation_id", "kind", "state", "due_at", "accepted_at"},
    "sessions": {"tenant_id", "wake_at", "life", "last_used_at", "id"},
    "signins": {"tenant_id", "hash"},
    "tenants": {"tenant_id"},
}
"""The columns that the ways in look at: ids, hashes of secrets, times and states."""

ACROSS_TENANTS = {
    "accounts_id_key": "webhooks and sockets name an account before its tenant is known",
    "keys_hash_key": "a request brings a key before its tenant is known",
    "signins_hash_key": "a sign-in link is opened before its tenant is known",
    "tenants_name_key": "two tenants of one name could not be told apart",
    "sessions_promised": "the sweep asks for the tenants that have past promises",
    "conversations_promised": "the sweep asks for the tenants that have past promises",
    "approvals_promised": "the sweep asks for the tenants that have past promises",
    "sessions_unused": "the sweep asks for the tenants that have sessions to expire",
}
"""Indexes that do not start with the tenant, and why: they answer the four ways in, or keep a name unique."""


@pytest.fixture(scope="module")
def owner(postgres: Postgres) -> Iterator[Connection]:
    with psycopg.connect(postgres.owner_url, autocommit=True, row_factory=dict_row) as connection:
        yield connection


@pytest.fixture
def app(postgres: Postgres) -> Iterator[Connection]:
    with psycopg.connect(postgres.app_url(APP_PASSWORD), row_factory=dict_row) as connection:
        yield connection
        connection.rollback()


@pytest.mark.parametrize(
    "forbidden",
    [
        "create table mine (id int)",
        "create table public.mine as select 1 as id",
        "create view mine as select 1 as id",
        "create function mine() returns int language sql as 'select 1'",
        "create function mine() returns int language sql security definer as 'select 1'",
        "create schema mine",
        "create role mine",
        "create policy mine on messages to public using (true)",
        "create trigger mine after insert on messages for each row execute function record_message_event()",
        "alter table messages disable row level security",
        "alter table messages no force row level security",
        "alter table messages owner to switchboard_app",
        "alter table messages add column mine text",
        "alter table messages disable trigger all",
        "alter policy tenant on messages using (true)",
        "alter function decide owner to switchboard_app",
        "alter role switchboard_app bypassrls",
        "alter role switchboard_app superuser",
        "alter role switchboard password 'mine'",
        "drop table messages",
        "drop policy tenant on messages",
        "drop function decide",
        "truncate messages",
        "truncate audit",
        "grant switchboard to switchboard_app",
        "grant switchboard_resolver to switchboard_app",
        "set role switchboard",
        "set role switchboard_resolver",
        "set role postgres",
        "set session authorization switchboard",
        "set session_replication_role = replica",
        "copy messages from program 'true'",
        "copy (select 1) to '/dev/null'",
        "select pg_read_file('postgresql.conf')",
        "call protect('messages')",
        "delete from tenants",
        "insert into tenants (tenant_id, name) values ('ten_mine', 'mine')",
    ],
)
def test_the_app_owns_nothing_and_can_take_nothing(app: Connection, forbidden: str) -> None:
    with pytest.raises((InsufficientPrivilege, UndefinedObject, ObjectNotInPrerequisiteState, InvalidParameterValue)) as refused:
        app.execute(forbidden.encode())
    assert refused.value.sqlstate == "42501" or "privilege" in str(refused.value) or "does not exist" in str(refused.value), refused.value


def test_the_app_cannot_pass_its_rights_on(app: Connection) -> None:
    before = "select relacl::text from pg_class where relname = 'messages'"
    rights = app.execute(before).fetchone()
    app.execute("grant select on messages to public")  # a warning only, in Postgres: nothing is granted
    assert app.execute(before).fetchone() == rights


def test_the_app_may_read_and_write_but_not_more(owner: Connection) -> None:
    attributes = "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = %s"
    for role in ("switchboard_app", "switchboard_resolver"):
        row = owner.execute(attributes, (role,)).fetchone()
        assert row
        assert not any(row.values()), role
        members = owner.execute("select roleid::regrole::text from pg_auth_members where member = %s::regrole", (role,)).fetchall()
        assert members == [], f"{role} is a member of other roles"
    query = """
        select relname from pg_class c
         where relnamespace = 'public'::regnamespace and relkind = 'r' and has_table_privilege('switchboard_app', oid, %s)"""
    for right in ("truncate", "references", "trigger", "maintain"):
        assert owner.execute(query, (right,)).fetchall() == [], right
    owned = owner.execute("select count(*) as n from pg_shdepend where deptype = 'o' and refobjid = 'switchboard_app'::regrole").fetchone()
    assert owned == {"n": 0}


def test_four_functions_are_ways_in_and_all_others_have_their_callers_rights(owner: Connection) -> None:
    query = """
        select p.oid::regproc::text || '(' || pg_get_function_arguments(p.oid) || ')' as name, pg_get_function_result(p.oid) as result, prosecdef,
               proowner::regrole::text as owner, proconfig, has_function_privilege('public', p.oid, 'execute') as everyone
          from pg_proc p where pronamespace = 'public'::regnamespace"""
    functions = owner.execute(query).fetchall()

    ways_in = {row["name"]: row for row in functions if row["prosecdef"]}

    assert {name: row["result"] for name, row in ways_in.items()} == WAYS_IN
    for name, row in ways_in.items():
        assert row["owner"] == "switchboard_resolver", name
        assert row["proconfig"] == ["search_path=pg_catalog, public, pg_temp"], f"{name} could be made to look elsewhere"
        assert not row["everyone"], f"{name} can be called by everyone"
    assert {row["owner"] for row in functions if not row["prosecdef"]} == {"switchboard"}


def test_a_way_in_cannot_be_led_astray_by_a_temporary_table(app: Connection) -> None:
    app.execute("create temporary table accounts (tenant_id text, id text)")
    app.execute("insert into accounts values ('ten_forged', 'acc_forged')")
    app.execute("grant select on accounts to public")

    assert app.execute("select tenant_of_account('acc_forged') as tenant").fetchone() == {"tenant": None}


def test_a_way_in_gives_an_id_and_nothing_else(app: Connection, owner: Connection) -> None:
    rows = fill(owner, new_id("ten"))
    tenant = rows["tenants"]["tenant_id"]

    assert app.execute("select tenant_of_account(%s) as it", (rows["accounts"]["id"],)).fetchone() == {"it": tenant}
    assert app.execute("select tenant_of_key(%s) as it", (rows["keys"]["hash"],)).fetchone() == {"it": tenant}
    assert app.execute("select tenant_of_token(%s) as it", (rows["signins"]["hash"],)).fetchone() == {"it": tenant}
    assert app.execute("select tenant_of_key(%s) as it", (b"no such key",)).fetchone() == {"it": None}
    waiting = {"it": tenant}
    question = "select tenants_with_waiting_work(%s) as it"
    assert waiting not in app.execute(question, (None,)).fetchall()
    owner.execute("update sessions set wake_at = now() - interval '1 s' where tenant_id = %s", (tenant,))
    assert waiting in app.execute(question, (None,)).fetchall()
    owner.execute("update sessions set wake_at = null where tenant_id = %s", (tenant,))


def test_the_resolver_reads_the_granted_columns_only(owner: Connection) -> None:
    granted = owner.execute(
        "select table_name, column_name, privilege_type from information_schema.column_privileges where grantee = 'switchboard_resolver'"
    ).fetchall()
    assert {row["privilege_type"] for row in granted} == {"SELECT"}
    seen: dict[str, set[str]] = {}
    for row in granted:
        seen.setdefault(row["table_name"], set()).add(row["column_name"])
    assert seen == SEEN_BY_RESOLVER

    with owner.transaction(force_rollback=True):
        owner.execute("set local role switchboard_resolver")
        owner.execute("select tenant_id, id from accounts")
        refused = (
            "select name from accounts",
            "select * from keys",
            "select text from messages",
            "select sealed from accounts",
            "update sessions set wake_at = null",
            "delete from keys",
            "insert into signins values ('a', 'b', 'c', now())",
            "create table mine (id int)",
        )
        for attempt in refused:
            with pytest.raises(InsufficientPrivilege), owner.transaction():
                owner.execute(attempt.encode())


def test_every_index_of_a_tenants_table_starts_with_the_tenant(owner: Connection) -> None:
    query = """
        select i.indexrelid::regclass::text as name, i.indrelid::regclass::text as table, i.indkey[0] = a.attnum as starts
          from pg_index i join pg_class c on c.oid = i.indrelid and c.relnamespace = 'public'::regnamespace
          join pg_attribute a on a.attrelid = i.indrelid and a.attname = 'tenant_id'"""
    others = {row["name"] for row in owner.execute(query).fetchall() if not row["starts"]}

    assert others == set(ACROSS_TENANTS)
