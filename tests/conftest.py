"""One real Postgres, one real Temporal, one worker and one API for all tests; a tenant of its own for each test."""

import asyncio
import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psycopg
import pytest
import uvicorn
from cryptography.fernet import Fernet

from cli.api import KEEP_ALIVE
from embedded.postgres import Postgres
from embedded.temporal import Temporal
from parts import Parts
from settings import Settings
from store.migrate import upgrade
from tests.world import World, make_world
from wiring import connect, opened, sweep, worker

APP_PASSWORD = "app"


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long the protocol's storms rage, in seconds for all of them together, and where their dice begin."""
    parser.addoption("--protocol-seconds", default="15")
    parser.addoption("--protocol-seed", default="")
    parser.addoption("--crash", choices=("once", "full"), default="once", help="full: every step, before and after, with every process.")
    parser.addoption("--crash-seed", type=int, default=0, help="The order in which the crash matrix kills; one of chance where it is 0.")
    parser.addoption("--attack-examples", type=int, default=1, metavar="N", help="How often the attacks throw their dice, which begin at N.")
    parser.addoption("--soak", type=float, default=0.0, metavar="MINUTES", help="Also work steadily for so long, and see that memory stays flat.")


def pytest_configure(config: pytest.Config) -> None:
    """Chooses the seed once, so that it is the same in all processes of a run."""
    config.option.crash_seed = config.option.crash_seed or secrets.randbelow(10**6) + 1


def pytest_report_header(config: pytest.Config) -> str:
    """Says the seed, so that a run can be repeated."""
    return f"crash seed: {config.option.crash_seed}"


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A folder for this run's servers; short, since socket paths are."""
    path = Path(tempfile.mkdtemp(prefix="sb-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Iterator[Postgres]:
    """A real Postgres with the schema."""
    server = Postgres(folder / "postgres", "owner", log=folder / "postgres.log")
    server.start()
    upgrade(server.owner_url, APP_PASSWORD)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def temporal(folder: Path) -> Iterator[Temporal]:
    """A real Temporal server."""
    server = Temporal(folder / "temporal.db", log=folder / "temporal.log")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def settings(postgres: Postgres, temporal: Temporal) -> Settings:
    """What the processes under test are told. The linger is short, so that completion is seen too."""
    return Settings(
        DATABASE_URL=postgres.app_url(APP_PASSWORD), TEMPORAL_ADDRESS=temporal.address, owner_database_url=postgres.owner_url,
        sealing_keys=Fernet.generate_key().decode(), signing_key=secrets.token_hex(16), temporal_ui_url=temporal.ui_url, linger=2.0, pool_size=12,
    )  # fmt: skip


@pytest.fixture(scope="session")
async def parts(settings: Settings) -> AsyncIterator[Parts]:
    """The parts of a process, open."""
    async with opened(settings, "tests") as made:
        yield made


@pytest.fixture(scope="session")
async def working(settings: Settings, parts: Parts) -> AsyncIterator[None]:
    """A worker that works and sweeps."""
    async with worker(parts, await connect(settings, lazy=False)):
        sweeping = asyncio.create_task(sweep(parts).forever())
        yield
        sweeping.cancel()
        await asyncio.gather(sweeping, return_exceptions=True)


@pytest.fixture(scope="session")
async def api_url(settings: Settings) -> AsyncIterator[str]:
    """The address of a real HTTP server over the application."""
    from api.app import create_app  # noqa: PLC0415

    app = create_app(lambda: opened(settings, "tests-api"))
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, ws_max_size=262_144, timeout_keep_alive=KEEP_ALIVE)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.02)
        if serving.done():
            serving.result()
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


@pytest.fixture
def sql(postgres: Postgres) -> Iterator[psycopg.Connection[dict[str, object]]]:
    """The owner's view of the store: everything of every tenant."""
    with psycopg.connect(postgres.owner_url, autocommit=True, row_factory=psycopg.rows.dict_row) as connection:
        yield connection


@pytest.fixture
async def world(sql: psycopg.Connection[dict[str, object]], parts: Parts) -> World:
    """A tenant with an owner, an agent `demo`, a web chat open to all and their binding; nothing runs for it unless `live` is asked for."""
    return await make_world(sql, parts)


@pytest.fixture
async def live(world: World, working: None, api_url: str) -> AsyncIterator[World]:
    """The same tenant with a worker and an API at work."""
    world.api_url = api_url
    yield world
    await world.close()


@pytest.fixture
async def stranger(live: World, sql: psycopg.Connection[dict[str, object]], parts: Parts) -> AsyncIterator[World]:
    """Another tenant with an owner of its own, at the same API."""
    other = await make_world(sql, parts)
    other.api_url = live.api_url
    yield other
    await other.close()
