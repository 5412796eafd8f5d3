"""One running stack that the doctor looks at, and a database beside it that nobody works on, where rows can be broken in peace."""

import json
import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest
from cryptography.fernet import Fernet

from cli.checks import Finding
from cli.checks.ground import Ground, Ports
from cli.doctor import CHECKS, examine
from domain.ids import new_id
from embedded.postgres import APP
from embedded.running import Running
from embedded.stack import as_role
from settings import Settings
from store.migrate import upgrade
from tests.store.rows import Owner, fill

OF_THE_MACHINE = {"python", "disk"}
"""Checks whose outcome is the machine's affair, not that of the stack under test."""
Look = Callable[..., Awaitable[dict[str, Finding]]]


@pytest.fixture(scope="package")
def stack() -> Iterator[Running]:
    """Everything, as `up` starts it."""
    folder = Path(tempfile.mkdtemp(prefix="sb-doctor-"))
    running = Running(folder, "--no-demo")
    running.start()
    yield running
    assert running.stop() == 0
    shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Elsewhere:
    """A database with the schema and a row of one tenant in every table; nobody works on it."""

    owner_url: str
    app_url: str
    tenant: str
    sql: Owner
    sealing_key: str


@pytest.fixture(scope="package")
def elsewhere(stack: Running) -> Iterator[Elsewhere]:
    """A database beside the stack's own on the same server; it ends with the server."""
    with psycopg.connect(stack.told["database_url"], autocommit=True) as connection:
        connection.execute("create database elsewhere")
    owner = stack.told["database_url"].rpartition("/")[0] + "/elsewhere"
    upgrade(owner)
    app = as_role(owner, APP, json.loads((stack.data / "keys.json").read_text())["app_password"])
    with psycopg.connect(owner, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        tenant = new_id("ten")
        fill(sql, tenant)
        yield Elsewhere(owner, app, tenant, sql, Fernet.generate_key().decode())


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the environment that names a database and a Temporal; what is not given is unset."""
    usual = ("DATABASE_URL", "SWITCHBOARD_OWNER_DATABASE_URL", "TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "SWITCHBOARD_SEALING_KEYS",
             "SWITCHBOARD_PUBLIC_URL", "SWITCHBOARD_DATA_DIR")  # fmt: skip

    def named(**given: str) -> None:
        for variable in {*usual, *given}:
            monkeypatch.delenv(variable, raising=False)
            if given.get(variable):
                monkeypatch.setenv(variable, given[variable])

    named()
    return named


@pytest.fixture
def look(outside: Callable[..., None]) -> Look:
    """The doctor over a folder, as the environment is at that moment."""

    async def looked(data: Path, *names: str, ports: Ports | None = None) -> dict[str, Finding]:
        return await examine(Ground(data, ports or Ports(), Settings()), names or CHECKS)

    return looked


@pytest.fixture
def at_home(look: Look, stack: Running) -> Look:
    """The doctor over the running stack."""

    async def looked(*names: str) -> dict[str, Finding]:
        return await look(stack.data, *names)

    return looked


@pytest.fixture
def away(look: Look, outside: Callable[..., None], stack: Running, elsewhere: Elsewhere, tmp_path: Path) -> Look:
    """The doctor over the database beside and the stack's Temporal, both named by the environment; `changed` are other variables."""
    named = {
        "DATABASE_URL": elsewhere.app_url,
        "SWITCHBOARD_OWNER_DATABASE_URL": elsewhere.owner_url,
        "TEMPORAL_ADDRESS": stack.told["temporal_address"],
        "SWITCHBOARD_SEALING_KEYS": elsewhere.sealing_key,
    }

    async def looked(*names: str, **changed: str) -> dict[str, Finding]:
        outside(**(named | changed))
        return await look(tmp_path / "nothing", *names)

    return looked


def broken(found: Mapping[str, Finding]) -> dict[str, str]:
    """The checks that are not well, with how they stand."""
    return {name: one.state for name, one in found.items() if one.state in ("warn", "fail") and name not in OF_THE_MACHINE}


def skipped(found: Mapping[str, Finding]) -> set[str]:
    """The checks that could not be made."""
    return {name for name, one in found.items() if one.state == "skipped"}


def port_of(address: str) -> int:
    """The port of `host:port` or of an URL."""
    return cast(int, urlsplit(address if "://" in address else f"//{address}").port)


def executed(sql: psycopg.Connection[Any], *statements: str) -> None:
    """Runs statements as the owner, one after the other."""
    for statement in statements:
        sql.execute(statement)  # type: ignore[call-overload]
