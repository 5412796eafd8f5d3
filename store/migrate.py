"""Brings the schema up to what the code expects, and back down. Migrations are plain SQL files, each with its rollback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psycopg
from psycopg import sql
from yoyo import get_backend, read_migrations
from yoyo.backends import DatabaseBackend
from yoyo.migrations import Migration, MigrationList

from domain.errors import StartFailed
from store.conninfo import fields
from store.pool import Database

FOLDER = Path(__file__).parent / "migrations"
ONE_AT_A_TIME = 0x5B0A12D


def upgrade(owner_url: str, app_password: str = "") -> list[str]:
    """Applies what is missing and returns its names; sets the app role's password where one is given.

    Raises StartFailed when the address is none, when Postgres is away, or when the schema is newer than this code.
    """
    with _opened(owner_url) as (backend, known, connection):
        missing = backend.to_apply(known)
        for migration in missing:
            _step(backend, migration, "apply")
        if app_password:
            connection.execute(sql.SQL("alter role switchboard_app login password {}").format(sql.Literal(app_password)))
        connection.execute("grant select (migration_id) on _yoyo_migration to switchboard_app")
        return [migration.id for migration in missing]


async def require_current(db: Database) -> None:
    """Raises StartFailed unless the schema is the one this code was written for, StoreUnavailable while Postgres is away."""
    try:
        applied = set(await db.ids("migrations/applied"))
    except (psycopg.errors.UndefinedTable, psycopg.errors.InsufficientPrivilege) as error:
        raise StartFailed("The database has no schema of ours yet; run `./switchboard migrate` first.") from error
    known = {migration.id for migration in read_migrations(str(FOLDER))}
    if missing := sorted(known - applied):
        raise StartFailed(f"The database's schema is older than this version (it lacks {missing[0]}); run `./switchboard migrate` first.")
    if newer := sorted(applied - known):
        raise StartFailed(f"The data was written by a newer version (it has {newer[-1]}); start that version, or restore a backup.")


def rollback(owner_url: str, count: int = 1) -> list[str]:
    """Undoes the newest `count` migrations and returns their names."""
    with _opened(owner_url) as (backend, known, _):
        newest = backend.to_rollback(known)[:count]
        for migration in newest:
            _step(backend, migration, "rollback")
        return [migration.id for migration in newest]


def pending(owner_url: str) -> list[str]:
    """The names of the migrations that are not applied yet."""
    with _opened(owner_url) as (backend, known, _):
        return [migration.id for migration in backend.to_apply(known)]


def _step(backend: DatabaseBackend, migration: Migration, direction: Literal["apply", "rollback"]) -> None:
    """One migration and the note of it in one commit: the library would commit them one after the other, and a kill could come between."""
    with backend.transaction():
        migration.process_steps(backend, direction)
        backend.mark_one(migration) if direction == "apply" else backend.unmark_one(migration)


@contextmanager
def _opened(owner_url: str) -> Iterator[tuple[DatabaseBackend, MigrationList, psycopg.Connection]]:
    """The migrations' backend under an advisory lock: a lock row, as the library keeps one, would outlive a killed process."""
    fields(owner_url, "SWITCHBOARD_OWNER_DATABASE_URL")
    try:
        connection = psycopg.connect(owner_url, autocommit=True)
    except psycopg.OperationalError as error:
        raise StartFailed("Postgres does not answer at the owner's address; check that it runs and the address is right.") from error
    with connection:
        connection.execute("select pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        if connection.execute("select to_regclass('yoyo_lock')").fetchone() != (None,):
            connection.execute("delete from yoyo_lock")
        backend = get_backend("postgresql+psycopg://" + owner_url.partition("://")[2])
        try:
            known = read_migrations(str(FOLDER))
            _refuse_newer(connection, {migration.id for migration in known})
            yield backend, known, connection
        finally:
            backend.connection.close()


def _refuse_newer(connection: psycopg.Connection, known: set[str]) -> None:
    if connection.execute("select to_regclass('_yoyo_migration')").fetchone() == (None,):
        return
    applied = {str(row[0]) for row in connection.execute("select migration_id from _yoyo_migration")}
    if newer := sorted(applied - known):
        raise StartFailed(f"The data was written by a newer version (it has {newer[-1]}); start that version, or restore a backup.")
