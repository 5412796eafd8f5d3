"""What of the containers can be run without Docker: the image's files as a program, the jobs' scripts, the worker's check."""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.errors import StartFailed
from embedded.postgres import Postgres, newest_bin
from embedded.temporal import Temporal, program
from parts import Parts
from settings import Settings
from tests.architecture.containers import compose, dockerfile, script, services
from tests.architecture.tree import ROOT
from wiring import connect, figures_at, worker


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """A folder with what the Dockerfile copies, and nothing else."""
    for instruction in dockerfile():
        if instruction.word == "COPY" and "--from" not in instruction.rest:
            *sources, target = instruction.rest.split()
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, tmp_path / target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(ROOT / source, tmp_path / target)
    return tmp_path


def test_the_files_of_the_image_are_a_whole_program(image: Path) -> None:
    """Each command gets as far as the first thing it has to be told; were a file missing, it would not."""
    without_the_repository = f"import runpy, sys; sys.path[:] = ['', *(p for p in sys.path if p not in ('', {str(ROOT)!r}))]; "
    ended = {}
    told = {"PATH": os.environ["PATH"]}
    for command in ("api", "worker", "migrate"):
        code = without_the_repository + f"sys.argv = ['cli', {command!r}]; runpy.run_module('cli', run_name='__main__')"
        ended[command] = subprocess.Popen([sys.executable, "-c", code], cwd=image, env=told, stderr=subprocess.PIPE, text=True)
    said = {command: running.communicate(timeout=60)[1] for command, running in ended.items()}

    assert {command: text for command, text in said.items() if "DATABASE_URL" not in text or "Traceback" in text} == {}
    assert [running.returncode for running in ended.values()] == [1, 1, 1]


def test_the_namespace_and_its_search_attributes_are_made_once(temporal: Temporal, tmp_path: Path) -> None:
    environment = {
        "PATH": f"{program().parent}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path),
        "TEMPORAL_ADDRESS": temporal.address, "TEMPORAL_NAMESPACE": "as-compose-makes-it",
    }  # fmt: skip

    def run(command: list[str]) -> str:
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    first = run([*services()["temporal-namespace"]["entrypoint"], script("temporal-namespace")])
    again = run([*services()["temporal-namespace"]["entrypoint"], script("temporal-namespace")])

    assert "successfully registered" in first
    assert again == ""
    listed = run(["temporal", "operator", "search-attribute", "list"])
    assert all(name in listed for name in ("SbTenant", "SbKind", "SbState", "SbChannel"))


def test_temporals_role_may_make_its_databases_and_no_more(postgres: Postgres, tmp_path: Path) -> None:
    owner = conninfo_to_dict(postgres.owner_url)
    environment = {
        "PATH": f"{os.environ['PATH']}{os.pathsep}{newest_bin()}", "TEMPORAL_DB_PASSWORD": "it's 1 secret",
        "POSTGRES_USER": str(owner["user"]), "POSTGRES_DB": str(owner["dbname"]), "PGHOST": str(owner["host"]),
        "PGPORT": str(owner.get("port", "")), "PGPASSWORD": str(owner.get("password", "")), "HOME": str(tmp_path),
    }  # fmt: skip
    role_script = compose()["configs"]["temporal_role"]["content"].replace("$$", "$")

    ran = subprocess.run(["/bin/sh", "-c", role_script], env=environment, capture_output=True, text=True, timeout=30)

    assert ran.returncode == 0, ran.stderr
    its_url = make_conninfo(postgres.owner_url, user="temporal", password="it's 1 secret")
    with psycopg.connect(its_url, autocommit=True) as connection:
        may = connection.execute("select rolsuper, rolcreatedb, rolcreaterole from pg_roles where rolname = 'temporal'").fetchone()
        assert may == (False, True, False)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("select * from messages")
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute("drop role temporal")


async def test_the_workers_check_tells_one_that_polls_from_one_that_does_not(settings: Settings, parts: Parts) -> None:
    port = free_port()
    *python, _, code = services()["worker"]["healthcheck"]["test"][1:]
    check = [sys.executable, "-c", code.replace("$$", "$").replace("9090", str(port))]
    told = settings.model_copy(update={"metrics_port": port, "host": "127.0.0.1"})
    assert python == ["python"]

    async def healthy() -> bool:
        running = await asyncio.create_subprocess_exec(*check, stderr=asyncio.subprocess.DEVNULL)
        return await running.wait() == 0

    assert not await healthy()
    temporal = await connect(told, lazy=False)
    assert not await healthy()
    async with worker(parts, temporal):
        for _ in range(40):
            if await healthy():
                break
            await asyncio.sleep(0.1)
        else:
            pytest.fail("a worker that polls was never found healthy")


def test_a_taken_port_for_a_workers_figures_is_said_so() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(StartFailed, match=f"SWITCHBOARD_METRICS_PORT is {port}"):
            figures_at("127.0.0.1", port)


def test_the_apis_check_fails_while_nothing_serves() -> None:
    health = next(instruction.rest for instruction in dockerfile() if instruction.word == "HEALTHCHECK")
    code = health.partition('"-c", "')[2].rpartition('"]')[0]

    ran = subprocess.run([sys.executable, "-c", code], env={"SWITCHBOARD_PORT": str(free_port())}, capture_output=True, text=True, timeout=30)

    assert ran.returncode == 1
    assert "URLError" in ran.stderr


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
