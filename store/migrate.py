"""Brings the schema up to what the code expects, and back down. Migrations are plain SQL files, each with its rollback."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlencode

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
        raise _too_new(newer[-1], max(known))


def rollback(owner_url: str, count: int = 1) -> list[str]:
    """Undoes the newest `count` migrations and returns their names."""
    with _opened(owner_url) as (backend, known, _):
        return _undo(backend, backend.to_rollback(known)[:count])


def above(owner_url: str, name: str) -> list[str]:
    """The names of the applied migrations behind `name`, newest first. Raises StartFailed where `name` is none, or is not applied."""
    with _opened(owner_url) as (backend, known, _):
        return [migration.id for migration in _above(backend, known, name)]


def down_to(owner_url: str, name: str) -> list[str]:
    """Undoes every migration behind `name`, newest first, and returns their names; what they added is gone.

    `name` is a migration's, or its number. Raises StartFailed where it is none, or is not applied itself.
    """
    with _opened(owner_url) as (backend, known, _):
        return _undo(backend, _above(backend, known, name))


def _above(backend: DatabaseBackend, known: MigrationList, name: str) -> list[Migration]:
    applied: list[Migration] = list(backend.to_rollback(known))
    found = [migration.id for migration in applied if name in (migration.id, migration.id.partition("_")[0])]
    if len(found) != 1:
        there = f"choose one from {applied[-1].id} to {applied[0].id}" if applied else "it has none"
        raise StartFailed(f"The schema has no migration {name}; {there}.")
    return [migration for migration in applied if migration.id > found[0]]


def _undo(backend: DatabaseBackend, migrations: Iterable[Migration]) -> list[str]:
    undone = []
    for migration in migrations:
        _step(backend, migration, "rollback")
        undone.append(str(migration.id))
    return undone


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
    library_url = _for_library(owner_url)
    try:
        connection = psycopg.connect(owner_url, autocommit=True)
    except psycopg.OperationalError as error:
        raise StartFailed("Postgres does not answer at the owner's address; check that it runs and the address is right.") from error
    with connection:
        connection.execute("select pg_advisory_lock(%s)", (ONE_AT_A_TIME,))
        if connection.execute("select to_regclass('yoyo_lock')").fetchone() != (None,):
            connection.execute("delete from yoyo_lock")
        backend = get_backend(library_url)
        try:
            known = read_migrations(str(FOLDER))
            _refuse_newer(connection, {migration.id for migration in known})
            yield backend, known, connection
        finally:
            backend.connection.close()


def _too_new(found: str, ours: str) -> StartFailed:
    return StartFailed(
        f"The data was written by a newer version (it has {found}); start that version, or restore a backup. "
        f"That version's `./switchboard migrate --down-to {ours.partition('_')[0]}` takes the schema back to this one."
    )


def _for_library(owner_url: str) -> str:
    """The address for the migrations' library, which reads one of the form `host=… dbname=…` as an empty one, and no `%` in a database's name.

    Raises StartFailed when it is none.
    """
    return "postgresql+psycopg://?" + urlencode(fields(owner_url, "SWITCHBOARD_OWNER_DATABASE_URL"))


def _refuse_newer(connection: psycopg.Connection, known: set[str]) -> None:
    if connection.execute("select to_regclass('_yoyo_migration')").fetchone() == (None,):
        return
    applied = {str(row[0]) for row in connection.execute("select migration_id from _yoyo_migration")}
    if newer := sorted(applied - known):
        raise _too_new(newer[-1], max(known))
