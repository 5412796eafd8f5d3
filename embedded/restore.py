"""A backup, made a data folder again: built beside its place and moved there when it is complete, so that a half-made one is never started."""

import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
from pydantic import ValidationError

from domain.errors import StartFailed
from embedded.backup import FORMAT, KEYS, MANIFEST, POSTGRES, TEMPORAL, TOKEN, Manifest, run
from embedded.folder import DataFolder, opened, write_privately
from embedded.postgres import Postgres
from store.migrate import FOLDER

ROLES = (
    "create role switchboard_app",
    "create role switchboard_resolver nologin",
    "grant create on schema public to switchboard_resolver",  # for as long as its functions are handed over to it
)
"""A dump holds no roles, and its grants and functions name these; the app's password is set at the next start."""


@dataclass(frozen=True)
class Restored:
    """What came back."""

    manifest: Manifest
    conversations: int
    messages: int
    pending_approvals: int


def restore(file: Path, data: Path) -> Restored:
    """Makes a data folder of a backup.

    Raises StartFailed when the folder holds anything, or when the file is no backup of this version or an earlier one.
    """
    place = data.expanduser().absolute()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise StartFailed(f"{data} holds something already and is not overwritten; name an empty or new folder with --data.")
    with _opened(file) as tar:
        manifest = _manifest(tar, file)
        place.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
        try:
            restored = _build(tar, manifest, building)
            building.replace(place)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return restored


def _build(tar: tarfile.TarFile, manifest: Manifest, building: Path) -> Restored:
    for name in (KEYS, TOKEN):
        write_privately(building / name, _read(tar, name).decode("utf-8"))
    with opened(building) as folder:
        dump = folder.path / POSTGRES
        _unpack(tar, POSTGRES, dump)
        if manifest.temporal:
            _unpack(tar, TEMPORAL, folder.temporal)
        found = _load(folder, manifest, dump)
        dump.unlink()
    (building / "lock").unlink(missing_ok=True)
    return found


def _load(folder: DataFolder, manifest: Manifest, dump: Path) -> Restored:
    server = Postgres(folder.postgres, folder.keys.owner_password, log=folder.log("postgres"))
    server.start()
    try:
        with closing(psycopg.connect(server.owner_url, autocommit=True)) as connection:
            for statement in ROLES:
                connection.execute(statement.encode())
            run(server.owner_url, "pg_restore", "--exit-on-error", "--single-transaction", str(dump))
            connection.execute("revoke create on schema public from switchboard_resolver")
            connection.execute("analyze")
            counts = connection.execute(
                "select (select count(*) from conversations), (select count(*) from messages),"
                " (select count(*) from approvals where state = 'pending')"
            ).fetchone()
        assert counts
        return Restored(manifest, *counts)
    finally:
        server.stop()


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r:gz") as tar:
            yield tar
    except OSError as error:
        raise StartFailed(f"{file} cannot be read ({error.strerror or error}); name a file that `./switchboard backup` wrote.") from error
    except (tarfile.TarError, EOFError) as error:
        raise StartFailed(f"{file} is no whole backup; name a file that `./switchboard backup` wrote.") from error


def _manifest(tar: tarfile.TarFile, file: Path) -> Manifest:
    try:
        found = Manifest.model_validate_json(_read(tar, MANIFEST))
    except ValidationError as error:
        raise StartFailed(f"{file} is no backup of Switchboard; name a file that `./switchboard backup` wrote.") from error
    known = {path.stem for path in FOLDER.glob("*.sql")}
    if found.format != FORMAT or not known.issuperset(found.migrations):
        raise StartFailed(f"{file} was made by a newer version; restore it with that version.")
    return found


def _read(tar: tarfile.TarFile, name: str) -> bytes:
    with _content(tar, name) as content:
        return content.read()


def _unpack(tar: tarfile.TarFile, name: str, place: Path) -> None:
    place.touch(mode=0o600)
    with _content(tar, name) as content, place.open("wb") as out:
        shutil.copyfileobj(content, out)


def _content(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    """One entry by its name; nothing else of the file is looked at, wherever its other entries would go."""
    try:
        content = tar.extractfile(name)
    except KeyError:
        content = None
    if content is None:
        raise StartFailed(f"The backup lacks {name}; name a file that `./switchboard backup` wrote.")
    return content
