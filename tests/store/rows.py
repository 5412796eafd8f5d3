"""Rows for any table, made after the catalogue: a table that is added tomorrow gets its row too."""

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, LiteralString, cast

import psycopg
from psycopg import sql

Owner = psycopg.Connection[dict[str, Any]]

SPECIAL: Mapping[str, Any] = {"tenants.name": lambda tenant: tenant.replace("_", "-")}
"""Values that a check wants in a form that is not a plain list."""
PLAIN: Mapping[str, Any] = {
    "bytea": lambda: secrets.token_bytes(8),
    "jsonb": lambda: "{}",
    "timestamp with time zone": lambda: "2026-01-01T00:00:00Z",
    "boolean": lambda: False,
    "text[]": list,
}


@dataclass
class Column:
    """A column that a new row has to give a value for, or may."""

    name: str
    type: str
    needed: bool
    allowed: list[str] = field(default_factory=list)


@dataclass
class Reference:
    """A foreign key: `columns` here are `theirs` over there."""

    name: str
    columns: list[str]
    table: str
    theirs: list[str]


@dataclass
class Table:
    """A table of ours."""

    name: str
    columns: list[Column]
    references: list[Reference]


def tables(connection: Owner) -> list[Table]:
    """Every table with a tenant_id, parents before children."""
    names = [
        row["name"]
        for row in connection.execute(
            "select c.relname as name from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')"
            " and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) order by 1"
        )
    ]
    found = {name: Table(name, _columns(connection, name), references(connection, name)) for name in names}
    ordered: list[Table] = []
    while len(ordered) < len(found):
        done = {table.name for table in ordered}
        ready = [t for t in found.values() if t.name not in done and all(r.table in done | {t.name} for r in t.references)]
        assert ready, f"foreign keys in a circle: {set(found) - done}"
        ordered += ready
    return ordered


def references(connection: Owner, table: str) -> list[Reference]:
    """A table's foreign keys."""
    query = """
        select k.conname as name, k.confrelid::regclass::text as table,
               array(select attname::text from unnest(k.conkey) with ordinality as u (n, o) join pg_attribute on attrelid = k.conrelid and attnum = n order by o) as columns,
               array(select attname::text from unnest(k.confkey) with ordinality as u (n, o) join pg_attribute on attrelid = k.confrelid and attnum = n order by o) as theirs
          from pg_constraint k where k.contype = 'f' and k.conrelid = %s::regclass order by 1"""  # noqa: E501
    return [Reference(**row) for row in connection.execute(query, (table,)).fetchall()]


def _columns(connection: Owner, table: str) -> list[Column]:
    query = """
        select a.attname as name, format_type(a.atttypid, a.atttypmod) as type, a.attnotnull and not a.atthasdef and a.attidentity = '' as needed
          from pg_attribute a where a.attrelid = %s::regclass and a.attnum > 0 and not a.attisdropped order by a.attnum"""
    columns = [Column(**row) for row in connection.execute(query, (table,)).fetchall()]
    checks = connection.execute(
        "select pg_get_constraintdef(oid) as text from pg_constraint where contype = 'c' and conrelid = %s::regclass", (table,)
    ).fetchall()
    for check in checks:
        found = re.fullmatch(r"CHECK \(\((\w+) = ANY \(ARRAY\[(.*)\]\)\)\)", check["text"])
        for column in columns:
            if found and column.name == found[1]:
                column.allowed = re.findall(r"'([^']*)'::text", found[2])
    return columns


def row_for(table: Table, tenant: str, parents: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A new row of a table: what has to be given, and every reference to a row that is there."""
    row: dict[str, Any] = {}
    for column in table.columns:
        if column.name == "tenant_id":
            row["tenant_id"] = tenant
        elif column.needed:
            row[column.name] = _value(table.name, column, tenant)
    for reference in table.references:
        parent = parents.get(reference.table)
        if parent and reference.table != table.name:
            row |= {mine: parent[theirs] for mine, theirs in zip(reference.columns, reference.theirs, strict=True)}
    return row


def _value(table: str, column: Column, tenant: str) -> Any:
    if special := SPECIAL.get(f"{table}.{column.name}"):
        return special(tenant)
    if column.allowed:
        return column.allowed[0]
    if column.type == "text":
        return f"{table}-{column.name}-{secrets.token_hex(4)}"
    return PLAIN.get(column.type, lambda: 1)()


def insert(connection: psycopg.Connection[Any], table: str, row: Mapping[str, Any], returning: str = "*") -> Any:
    """Puts a row into a table and returns it."""
    statement = sql.SQL("insert into {} ({}) values ({}) returning {}").format(
        sql.Identifier(table),
        sql.SQL(", ").join(map(sql.Identifier, row)),
        sql.SQL(", ").join(sql.Placeholder() for _ in row),
        sql.SQL(cast(LiteralString, returning)),
    )
    return connection.execute(statement, list(row.values())).fetchone()


def fill(connection: Owner, tenant: str, into: Iterable[Table] | None = None) -> dict[str, dict[str, Any]]:
    """A row of a tenant in every table; the rows as they are stored, by table."""
    rows: dict[str, dict[str, Any]] = {}
    for table in tables(connection) if into is None else into:
        rows[table.name] = insert(connection, table.name, row_for(table, tenant, rows))
    return rows
