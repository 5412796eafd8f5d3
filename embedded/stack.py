"""Everything under one command: Postgres and Temporal, then the database's preparation, then the API and a worker."""

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol
from urllib.parse import quote, urlsplit, urlunsplit

from domain.errors import StartFailed
from embedded.folder import DataFolder, opened, write_privately
from embedded.ports import free_port, lan_address, require_free
from embedded.postgres import APP, Postgres
from embedded.programs import Api, Prepare, Program
from embedded.signals import Signals
from embedded.supervisor import Progress, Stopped, Supervisor
from embedded.temporal import Temporal

TOURED = ("worker", "API")
"""What the chat's tour may have killed."""
GRACE = "4"
"""Seconds a stopping worker gives its activities, so that all ends within ten."""


@dataclass(frozen=True)
class Wish:
    """What a start was asked for. A port of 0 is chosen by us."""

    data: Path
    port: int = 8080
    temporal_port: int = 7233
    ui_port: int = 8233
    lan: bool = False
    demo: bool = True
    ready_file: Path | None = None
    outside: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """The environment it was asked in."""


@dataclass(frozen=True)
class Serving:
    """Where everything is, once it serves. Field names are those of the ready file."""

    api: str
    console: str
    chat: str | None
    temporal_ui: str | None
    temporal_address: str
    database_url: str
    admin_token: str
    pid: int
    sign_in: str
    admin_token_file: Path


class Host(Progress, Protocol):
    """Who is told what happens: the terminal, or a test."""

    def serves(self, serving: Serving) -> None:
        """Everything answers."""

    def stopped(self, folder: Path) -> None:
        """Everything has ended."""


def serve(wish: Wish, host: Host) -> None:
    """Runs everything until a signal asks to stop. Raises StartFailed when it cannot start, and Stopped when a second signal cut it off."""
    os.umask(0o077)
    if wish.ready_file:
        _begin_ready_file(wish.ready_file)
    with Signals() as signals, opened(wish.data) as folder:
        for name in folder.end_leftovers():
            host.note(f"{name} of an earlier start still ran and was ended")
        stack = Stack(wish, folder, Supervisor(folder, signals, host), host)
        try:
            stack.start()
            stack.supervisor.watch()
        except Stopped:
            pass
        except BaseException:
            stack.supervisor.kill()
            raise
        finally:
            stack.serves_no_more()
        stack.supervisor.stop()
        if signals.asked > 1:
            raise Stopped
        host.stopped(folder.path)


class Stack:
    """The parts of one start, wired by environment variables."""

    def __init__(self, wish: Wish, folder: DataFolder, supervisor: Supervisor, host: Host) -> None:
        self.supervisor = supervisor
        self._wish, self._folder, self._host = wish, folder, host
        self._outside = wish.outside
        listen = "0.0.0.0" if wish.lan else "127.0.0.1"  # noqa: S104 - asked for by --lan
        self.supervisor.kills_when_asked = TOURED if wish.demo and not wish.lan else ()
        self._listen, self._port = listen, _port(wish.port, "--port", listen)
        self._postgres = None if self._outside.get("DATABASE_URL") else self._make_postgres()
        self._temporal = None if self._outside.get("TEMPORAL_ADDRESS") else self._make_temporal()
        self.public_url = self._outside.get("SWITCHBOARD_PUBLIC_URL") or f"http://{lan_address() if wish.lan else '127.0.0.1'}:{self._port}"

    def start(self) -> None:
        """Starts all parts in their order and tells the host where they are. Raises StartFailed and Stopped."""
        stores = [part for part in (self._temporal, self._postgres) if part]
        self.supervisor.start(*stores)
        prepare = Prepare(self._wish.demo, self._environment(owner=True), self._folder.log("prepare"))
        self.supervisor.run(prepare)
        told = prepare.answer()
        environment = self._environment(owner=False)
        worker = Program("worker", ["worker"], environment, self._folder.log("worker"))
        self.supervisor.start(worker, Api(self._port, environment, self._folder.log("api")))
        serving = self._serving(told)
        for file in self._ready_files():
            _write_ready_file(file, serving)
        self._folder.note(f"serves at {serving.api}")
        self._host.serves(serving)

    def serves_no_more(self) -> None:
        """Removes what said where everything is, so that nobody looks for it there."""
        for file in self._ready_files():
            with suppress(OSError):
                file.unlink()

    def _ready_files(self) -> list[Path]:
        return [self._folder.path / "serving.json", *([self._wish.ready_file] if self._wish.ready_file else [])]

    def _make_postgres(self) -> Postgres:
        return Postgres(self._folder.postgres, self._folder.keys.owner_password, log=self._folder.log("postgres"))

    def _make_temporal(self) -> Temporal:
        ports = (_port(self._wish.temporal_port, "--temporal-port"), _port(self._wish.ui_port, "--ui-port"))
        return Temporal(self._folder.temporal, port=ports[0], ui_port=ports[1], log=self._folder.log("temporal"))

    def _environment(self, *, owner: bool) -> dict[str, str]:
        """What our programs are told; only the preparation gets the owner's connection and the admin token."""
        outside = dict(self._outside)
        outside.pop("SWITCHBOARD_OWNER_DATABASE_URL", None)
        keys = self._folder.keys
        told = {
            "SWITCHBOARD_HOST": self._listen,
            "SWITCHBOARD_PORT": str(self._port),
            "SWITCHBOARD_PUBLIC_URL": self.public_url,
            "SWITCHBOARD_DATA_DIR": str(self._folder.path),
            "SWITCHBOARD_SEALING_KEYS": outside.get("SWITCHBOARD_SEALING_KEYS") or keys.sealing_keys,
            "SWITCHBOARD_SIGNING_KEY": outside.get("SWITCHBOARD_SIGNING_KEY") or keys.signing_key,
            "SWITCHBOARD_GRACEFUL_SHUTDOWN": outside.get("SWITCHBOARD_GRACEFUL_SHUTDOWN") or GRACE,
            "DATABASE_URL": self._app_url(),
            "SWITCHBOARD_TOUR": str(self._wish.demo and not self._wish.lan).lower(),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_ARENA_MAX": outside.get("MALLOC_ARENA_MAX", "2"),
        }
        if self._postgres:
            outside = {name: value for name, value in outside.items() if not name.startswith("PG")}
        if self._temporal:
            outside = {name: value for name, value in outside.items() if not name.startswith("TEMPORAL_")}
            told |= {"TEMPORAL_ADDRESS": self._temporal.address, "SWITCHBOARD_TEMPORAL_UI_URL": self._temporal.ui_url}
        if owner:
            told |= {"SWITCHBOARD_OWNER_DATABASE_URL": self._owner_url(), "SWITCHBOARD_ADMIN_TOKEN": self._folder.admin_token}
        return outside | told

    def _owner_url(self) -> str:
        if self._postgres:
            return self._postgres.owner_url
        return self._outside.get("SWITCHBOARD_OWNER_DATABASE_URL") or self._outside["DATABASE_URL"]

    def _app_url(self) -> str:
        """The app's connection; where only one is given from outside, that is the owner's and the app's is made from it."""
        if self._postgres:
            return self._postgres.app_url(self._folder.keys.app_password)
        if self._outside.get("SWITCHBOARD_OWNER_DATABASE_URL"):
            return self._outside["DATABASE_URL"]
        return as_role(self._outside["DATABASE_URL"], APP, self._folder.keys.app_password)

    def _serving(self, told: Mapping[str, str]) -> Serving:
        chat = told.get("chat")
        return Serving(
            api=self.public_url,
            console=f"{self.public_url}/console",
            chat=f"{self.public_url}{chat}" if chat else None,
            temporal_ui=self._temporal.ui_url if self._temporal else self._outside.get("SWITCHBOARD_TEMPORAL_UI_URL"),
            temporal_address=self._temporal.address if self._temporal else self._outside["TEMPORAL_ADDRESS"],
            database_url=self._owner_url(),
            admin_token=self._folder.admin_token,
            pid=os.getpid(),
            sign_in=f"{self.public_url}{told.get('sign_in') or '/console'}",
            admin_token_file=self._folder.admin_token_file,
        )


def as_role(url: str, role: str, password: str) -> str:
    """The same Postgres address for another role. Raises StartFailed when it is no address with a host and another user."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or "@" not in parts.netloc:
        raise StartFailed("DATABASE_URL is no address such as postgresql://owner:password@host/database; correct it, or unset it.")
    if parts.username == role:
        raise StartFailed(f"DATABASE_URL is the connection of {role}, who may not migrate; set SWITCHBOARD_OWNER_DATABASE_URL to the owner's too.")
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(role)}:{quote(password, safe='')}@{place}"))


def _port(wanted: int, option: str, host: str = "127.0.0.1") -> int:
    if wanted == 0:
        return free_port(host)
    require_free(host, wanted, option)
    return wanted


def _begin_ready_file(file: Path) -> None:
    """Removes what an earlier start wrote there, so that nobody takes it for ours."""
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise StartFailed(f"{file} cannot be replaced ({error.strerror}); choose another place with --ready-file.") from error
    if not os.access(file.absolute().parent, os.W_OK):
        raise StartFailed(f"{file.absolute().parent} is no folder this user may write; choose another place with --ready-file.")


def _write_ready_file(file: Path, serving: Serving) -> None:
    names = ("api", "console", "chat", "temporal_ui", "temporal_address", "database_url", "admin_token", "pid")
    write_privately(file, json.dumps({name: getattr(serving, name) for name in names}, indent=1) + "\n")
