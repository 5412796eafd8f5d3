"""A backup: both stores of a data folder and its keys in one file, taken while everything runs.

Temporal is copied first, Postgres second. What is true is in Postgres, so the later copy decides: progress that is older than the facts only
looks once more, whereas progress that is newer could have ended the clock of an approval that the facts still call pending.
"""

import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from pydantic import BaseModel

from domain.errors import StartFailed
from embedded.database import started_over
from embedded.postgres import DATABASE, OWNER, newest_bin

FORMAT = 1
MANIFEST, KEYS, TOKEN, TEMPORAL, POSTGRES = "manifest.json", "keys.json", "admin_token", "temporal.db", "postgres.dump"
NOT_KEPT = ("events",)
"""Tables whose rows mean nothing elsewhere: the stream of changes counts in transactions of the server that wrote it."""
CONNECT_WITHIN = 5


class Manifest(BaseModel):
    """What a backup says of itself. `made_at` is when it began; `temporal` is whether it holds a copy of Temporal's file."""

    format: int = FORMAT
    made_at: datetime
    migrations: list[str]
    temporal: bool


def back_up(data: Path, file: Path) -> Manifest:
    """Writes the backup, which nobody but us may read; it is there complete or not at all.

    Raises StartFailed when the folder holds no stores of ours, when the file exists, or when a store cannot be copied.
    """
    if not (data / "postgres").exists() or not (data / KEYS).exists():
        raise StartFailed(f"{data} holds no Postgres of ours; name the folder of `up` with --data. One that is elsewhere is backed up there.")
    if file.exists():
        raise StartFailed(f"{file} exists already and is not overwritten; name another file.")
    if not os.access(file.absolute().parent, os.W_OK):
        raise StartFailed(f"{file.absolute().parent} is no folder this user may write; name another file.")
    staging = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.absolute().parent))
    try:
        with postgres_over(data) as url:
            manifest = _copy(data, url, staging)
        _pack(data, staging, manifest).replace(file)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return manifest


def _copy(data: Path, url: str, staging: Path) -> Manifest:
    began, there = datetime.now(UTC), (data / TEMPORAL).exists()
    if there:
        copy_sqlite(data / TEMPORAL, staging / TEMPORAL)
    run(url, "pg_dump", "--format=custom", "--enable-row-security", "--no-unlogged-table-data",
        *(f"--exclude-table-data=public.{table}" for table in NOT_KEPT), f"--file={staging / POSTGRES}")  # fmt: skip
    with psycopg.connect(url) as connection:
        applied = connection.execute("select migration_id from _yoyo_migration order by 1").fetchall()
    return Manifest(made_at=began, migrations=[str(row[0]) for row in applied], temporal=there)


def copy_sqlite(source: Path, copy: Path) -> None:
    """Copies a SQLite file that others may be writing, as it is at one moment. Raises StartFailed."""
    try:
        address = f"file:{quote(str(source.absolute()))}?mode=rw"
        with closing(sqlite3.connect(address, uri=True, timeout=30)) as read, closing(sqlite3.connect(copy)) as written:
            read.backup(written)
    except sqlite3.Error as error:
        raise StartFailed(f"{source} cannot be copied ({error}); look whether the disk is full.") from error


@contextmanager
def postgres_over(data: Path) -> Iterator[str]:
    """The owner's address of the Postgres over a folder: of the one that runs, else of one that is started until the block ends.

    Raises StartFailed when neither can be had.
    """
    url = _running(data)
    if url:
        yield url
        return
    with started_over(data) as url:
        yield url


def _running(data: Path) -> str:
    with suppress(OSError, ValueError, IndexError, KeyError, psycopg.OperationalError):
        password = json.loads((data / KEYS).read_text("utf-8"))["owner_password"]
        port = int((data / "postgres" / "postmaster.pid").read_text("ascii").splitlines()[3])
        url = f"postgresql://{OWNER}:{quote(password, safe='')}@127.0.0.1:{port}/{DATABASE}"
        psycopg.connect(url, connect_timeout=CONNECT_WITHIN).close()
        return url
    return ""


def run(url: str, program: str, *arguments: str) -> None:
    """Runs one of Postgres's client programs on a database; the password is in no argument. Raises StartFailed with its last words."""
    parts = urlsplit(url)
    place = urlunsplit(parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@")))
    with psycopg.connect(url) as connection:
        password = connection.info.password
    told = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC", "PGPASSWORD": password}
    ran = subprocess.run([newest_bin() / program, f"--dbname={place}", *arguments], env=told, capture_output=True, text=True)
    if ran.returncode != 0:
        said = [line for line in ran.stderr.splitlines() if "error:" in line] or ran.stderr.splitlines()
        raise StartFailed(f"{program} failed: {said[0].partition('error: ')[2] or said[0] if said else ran.returncode}.")


def _pack(data: Path, staging: Path, manifest: Manifest) -> Path:
    whole = staging / "whole"
    with open(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
        with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
            _add(tar, MANIFEST, manifest.model_dump_json(indent=1).encode())
            for name in (KEYS, TOKEN):
                _add(tar, name, (data / name).read_bytes())
            for name in (TEMPORAL, POSTGRES) if manifest.temporal else (POSTGRES,):
                tar.add(staging / name, name, filter=_ours)
        out.flush()
        os.fsync(out.fileno())
    return whole


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    tar.addfile(_ours(entry), io.BytesIO(content))


def _ours(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mode, entry.uid, entry.gid, entry.uname, entry.gname = 0o600, 0, 0, "", ""
    return entry
