"""The command line: fast help, one sentence for what is wrong, nothing secret in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = {"fastapi", "temporalio", "pydantic", "psycopg"}


def cli(*arguments: str, **told: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", "-m", "cli", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env={**os.environ, **told})


def test_help_names_the_commands_and_loads_none() -> None:
    shown = cli("--help")
    assert shown.returncode == 0
    assert all(f"  {name} " in shown.stdout for name in ("up", "test", "apply", "api", "worker", "migrate"))
    code = "import sys, cli, cli.up\ntry: cli.app(['--help'])\nfinally: assert not set(sys.argv[1:]) & set(sys.modules)"
    loaded = subprocess.run([sys.executable, "-P", "-c", code, *HEAVY], cwd=ROOT, capture_output=True, text=True)
    assert loaded.returncode == 0, loaded.stderr


def test_an_unknown_command_is_refused() -> None:
    refused = cli("upp")
    assert refused.returncode == 2
    assert "No such command 'upp'" in refused.stderr


def test_a_port_that_is_none_is_refused() -> None:
    refused = cli("up", "--port", "70000")
    assert refused.returncode == 2
    assert "'70000' is neither a port from 1 to 65535 nor auto" in " ".join(refused.stderr.split())


def test_up_knows_its_default_ports(tmp_path: Path) -> None:
    """Without --port: it gets as far as the folder (or says which port is taken), and does not break on its own defaults."""
    in_the_way = tmp_path / "file"
    in_the_way.write_text("not a folder")

    ran = cli("up", "--no-browser", "--data", str(in_the_way))

    assert ran.returncode == 1
    assert "Traceback" not in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("command", ["migrate", "prepare", "api", "worker"])
@pytest.mark.parametrize("variable", ["DATABASE_URL", "SWITCHBOARD_OWNER_DATABASE_URL"])
def test_an_address_that_is_none_is_named_and_not_shown(command: str, variable: str) -> None:
    """The owner's is read by those who migrate; to the others the app's is missing, which they say."""
    ran = cli(command, **{"DATABASE_URL": "", "SWITCHBOARD_OWNER_DATABASE_URL": "", variable: "hunter2"})

    assert ran.returncode == 1
    assert "hunter2" not in ran.stdout + ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1
    assert (variable if command in ("migrate", "prepare") else "DATABASE_URL") in ran.stderr
