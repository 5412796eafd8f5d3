"""The ground that checks stand on: a folder, what the environment names, and connections that are opened when a check first asks for one."""

import asyncio
import fcntl
import json
from contextlib import AsyncExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

import psutil
import psycopg
from psycopg import AsyncConnection
from psycopg.rows import DictRow, dict_row
from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from cli.checks import Skipped
from cli.output import short
from cli.tenancy import Reach, reach
from cli.up import API, AUTO, TEMPORAL, TEMPORAL_UI
from domain.errors import StartFailed, StoreUnavailable, SwitchboardError, TemporalUnavailable
from embedded.folder import Known
from settings import Settings

CONNECT_WITHIN = 5
STOPPED = "Nothing runs over this folder; start it with `./switchboard up`."
ONLY_THE_OWNER = "Only the database's owner sees all tenants; set SWITCHBOARD_OWNER_DATABASE_URL."
LOOK_ONLY = ("set default_transaction_read_only = on", "set statement_timeout = '8s'")

Connection = AsyncConnection[DictRow]
Asked = TypeVar("Asked")


@dataclass(frozen=True)
class Ports:
    """The ports that a start would take; AUTO ones are chosen by it."""

    api: int = API
    temporal: int = TEMPORAL
    ui: int = TEMPORAL_UI

    @classmethod
    def as_for_up(cls, api: int | None, temporal: int | None, ui: int | None) -> "Ports":
        """Those that the same options make `up` take: what is not given has its default, or is chosen with the API's."""
        usual = cls() if api != AUTO else cls(AUTO, AUTO, AUTO)
        return cls(*(given if given is not None else otherwise for given, otherwise in zip((api, temporal, ui), astuple(usual), strict=True)))


class Ground:
    """What is known of one place. `up` is the pid of the start that holds the folder, 0 when it is stopped."""

    def __init__(self, data: Path, ports: Ports, settings: Settings) -> None:
        self.data, self.ports, self.settings = data, ports, settings
        self.up = holder(data)
        self.parts = {part.name: part for part in recorded(data)}
        self.near_postgres = not settings.database_url.get_secret_value()
        self.near_temporal = not ("temporal_address" in settings.model_fields_set and settings.temporal_address)
        self.namespace = "default" if self.near_temporal else settings.temporal_namespace
        self._reached: Reach | Exception | None = None
        self._client: Client | Exception | None = None
        self._connections: dict[str, Connection] = {}
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()

    @property
    def far(self) -> bool:
        """Whether nothing of this place is started by `up`: its Postgres and its Temporal are both named by the environment."""
        return not (self.near_postgres or self.near_temporal or self.up)

    def log(self, part: str) -> str:
        """A part's log, as one would type it."""
        return short(self.data.absolute() / "logs" / f"{part}.log")

    def part(self, name: str) -> psutil.Process:
        """A program that `up` started. Raises Skipped when nothing runs here or it cannot be seen."""
        if not self.up:
            raise Skipped(STOPPED)
        if not self.runs(name):
            raise Skipped(f"{name} does not run here.")
        return psutil.Process(self.parts[name].pid)

    def reach(self) -> Reach:
        """The database. Raises Skipped when none is to be had here, SwitchboardError when it does not let us in."""
        if self._reached is None:
            try:
                self._reached = self._find_database()
            except (Skipped, SwitchboardError) as error:
                self._reached = error
        return _or_raise(self._reached)

    def _find_database(self) -> Reach:
        if self.near_postgres and not self.up:
            raise Skipped(STOPPED)
        if self.near_postgres and not (self.data / "postgres").exists():
            raise Skipped("It was started with a DATABASE_URL of its own; set the same here.")
        if self.near_postgres and not self.runs("Postgres"):
            raise StoreUnavailable("Postgres does not run.")
        try:
            return reach(self.data)
        except psycopg.ProgrammingError as error:
            raise StartFailed("Set DATABASE_URL to an address such as postgresql://role:password@host/database.") from error

    def runs(self, name: str) -> bool:
        """Whether a part that `up` started runs at this moment."""
        return name in self.parts and self.parts[name].runs

    async def app(self) -> Connection:
        """A connection of the app's role, which sees no tenant. Raises Skipped."""
        return await self._connection(self._reach_or_skip().app_url, "Postgres does not let us in.")

    async def owner(self) -> Connection:
        """A connection that sees all tenants. Raises Skipped where only the app's is known."""
        url = self._reach_or_skip().owner_url
        if not url:
            raise Skipped(ONLY_THE_OWNER)
        return await self._connection(url, "The owner is not let in; correct SWITCHBOARD_OWNER_DATABASE_URL.")

    def _reach_or_skip(self) -> Reach:
        try:
            return self.reach()
        except SwitchboardError as error:
            raise Skipped("Postgres does not let us in.") from error

    async def _connection(self, url: str, refused: str) -> Connection:
        if url not in self._connections:
            try:
                made = await AsyncConnection.connect(
                    url, autocommit=True, connect_timeout=CONNECT_WITHIN, row_factory=dict_row, application_name="switchboard-doctor"
                )
            except psycopg.OperationalError as error:
                raise Skipped(refused) from error
            self._open.push_async_callback(made.close)
            for statement in LOOK_ONLY:
                await made.execute(statement)
            self._connections[url] = made
        return self._connections[url]

    async def client(self) -> Client:
        """A client of Temporal. Raises Skipped when none is to be had here, TemporalUnavailable when it does not answer."""
        if self._client is None:
            try:
                self._client = await self._connect()
            except (Skipped, TemporalUnavailable) as error:
                self._client = error
        return _or_raise(self._client)

    async def temporal(self) -> Client:
        """The same for checks that come after the one which says that Temporal is away. Raises Skipped."""
        try:
            return await self.client()
        except TemporalUnavailable as error:
            raise Skipped("Temporal does not answer.") from error

    async def _connect(self) -> Client:
        usual: Any = {} if self.near_temporal else ClientConfig.load_client_connect_config(disable_file=True)
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                return await Client.connect(**{**usual, "target_host": self.temporal_address(), "namespace": self.namespace})
        except (RuntimeError, TimeoutError) as error:
            raise TemporalUnavailable from error

    def temporal_address(self) -> str:
        """Host and port of Temporal. Raises Skipped when none is to be had here, TemporalUnavailable when it ended."""
        if not self.near_temporal:
            return self.settings.temporal_address
        if not self.up:
            raise Skipped(STOPPED)
        if not (self.data / "temporal.db").exists():
            raise Skipped("It was started with a TEMPORAL_ADDRESS of its own; set the same here.")
        if not self.runs("Temporal"):
            raise TemporalUnavailable
        words = self.part("Temporal").cmdline()
        return f"127.0.0.1:{words[words.index('--port') + 1]}"


def _or_raise(known: Asked | Exception) -> Asked:
    if isinstance(known, Exception):
        raise known
    return known


def holder(data: Path) -> int:
    """The pid of the start that holds a folder; 0 when nobody does."""
    try:
        with (data / "lock").open("r", encoding="ascii") as lock:
            written = lock.read().strip()
            if not written.isdigit():
                return 0
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return int(written)
    except (OSError, ValueError):
        return 0
    return 0


def recorded(data: Path) -> list[Known]:
    """The programs that the last start wrote down."""
    try:
        written = json.loads((data / "children.json").read_text("utf-8"))
        return [Known(str(one["name"]), int(one["pid"]), str(one["identity"])) for one in written]
    except (OSError, ValueError, TypeError, KeyError):
        return []
