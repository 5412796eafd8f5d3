"""Every statement is one statement, fits the migrated schema, is called from the code, and is given what it needs."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.pq import ExecStatus

from embedded.postgres import Postgres
from store.pool import QUERIES, statement
from tests.conftest import APP_PASSWORD

ROOT = Path(__file__).parent.parent.parent
PACKAGES = ("domain", "workflows", "activities", "channels", "agents", "store", "api", "cli", "embedded")
STATEMENTS = sorted(path.relative_to(QUERIES).with_suffix("").as_posix() for path in QUERIES.rglob("*.sql"))
PLACEHOLDER = re.compile(r"%\((\w+)\)s")
RUNNERS = {"run", "row", "rows", "call", "ids"}
"""The methods of a transaction and of the database that take a statement's name first."""


def sources() -> Iterator[tuple[Path, ast.Module]]:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*.py"):
            yield path, ast.parse(path.read_text("utf-8"))


SOURCES = list(sources())


def named(tree: ast.AST) -> set[str]:
    """The statements a piece of code names: as a constant, or as a folder with a verb that stands elsewhere in the file."""
    words = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    folders = {
        part.value
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in node.values[:1]
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and re.fullmatch(r"[a-z]+/", part.value)
    }
    return words | {folder + word for folder in folders for word in words}


def numbered(text: str) -> tuple[str, list[str]]:
    """The statement with $n for its parameters, and their names in order."""
    names = list(dict.fromkeys(PLACEHOLDER.findall(text)))
    return PLACEHOLDER.sub(lambda found: f"${names.index(found[1]) + 1}", text).replace("%%", "%"), names


@pytest.fixture(scope="module")
def app(postgres: Postgres) -> Iterator[psycopg.Connection]:
    with psycopg.connect(postgres.app_url(APP_PASSWORD), autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_one_and_fits_the_schema(app: psycopg.Connection, name: str) -> None:
    """The extended protocol prepares one statement only, with the app's rights to look at the tables."""
    text, _ = numbered(statement(name))
    prepared = app.pgconn.prepare(b"", text.encode())

    assert prepared.status == ExecStatus.COMMAND_OK, prepared.error_message.decode()
    assert not text.rstrip().endswith(";")
    assert "%" not in PLACEHOLDER.sub("", statement(name)).replace("%%", ""), "a bare per cent sign would be read as a placeholder"


def test_every_statement_is_used() -> None:
    used = set().union(*(named(tree) for _, tree in SOURCES))

    assert [name for name in STATEMENTS if name not in used] == []


def test_every_statement_that_is_named_exists() -> None:
    missing = {
        f"{path.relative_to(ROOT)}:{call.lineno} {name}" for path, tree in SOURCES for call, name in calls(tree) if name not in STATEMENTS
    }  # fmt: skip
    assert missing == set()


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Calls such as `tx.row("noun/verb", …)`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUNNERS and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str) and "/" in first.value:
                yield node, first.value


def given(call: ast.Call, tree: ast.Module) -> set[str] | None:
    """The parameters a call gives, where they can be read off: keywords, or one dictionary that is written out."""
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    if not isinstance(call.func, ast.Attribute) or call.func.attr != "call":
        return names
    params = call.args[2] if len(call.args) > 2 else None
    if isinstance(params, ast.Name):
        params = assigned(call, params.id, tree)
    if not isinstance(params, ast.Dict) or not all(isinstance(key, ast.Constant) for key in params.keys):
        return None
    return names | {str(key.value) for key in params.keys if isinstance(key, ast.Constant)}


def assigned(call: ast.Call, name: str, tree: ast.Module) -> ast.expr | None:
    """What a name was set to in the function around a call."""
    for function in ast.walk(tree):
        if isinstance(function, ast.AsyncFunctionDef) and any(node is call for node in ast.walk(function)):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == name:
                    return node.value
    return None


def test_a_statement_is_given_what_it_needs() -> None:
    """Neither more nor less, where the call can be read; the tenant is the transaction's."""
    checked = 0
    for path, tree in SOURCES:
        for call, name in calls(tree):
            params = given(call, tree)
            if params is None or name not in STATEMENTS:
                continue
            where = f"{path.relative_to(ROOT)}:{call.lineno} {name}"
            assert params - {"tenant"} == set(PLACEHOLDER.findall(statement(name))) - {"tenant"}, where
            checked += 1
    assert checked > 60


def test_every_statement_of_a_tenant_names_it() -> None:
    """Row-level security is the second lock; the first is that every statement says whose rows it means."""
    without = {name for name in STATEMENTS if "tenant" not in PLACEHOLDER.findall(statement(name))}

    everyones = {"figures/of_all", "migrations/applied", "status/room"}
    assert without == everyones | {"accounts/tenant_of", "keys/tenant_of", "members/tenant_of_token", "sweep/tenants"}
