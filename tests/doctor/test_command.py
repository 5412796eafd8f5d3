"""`./switchboard doctor` as a person and as a script calls it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.doctor import CHECKS, app
from embedded.running import Running
from tests.doctor.conftest import OF_THE_MACHINE, Elsewhere, executed

ROOT = Path(__file__).parents[2]


def called(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in a program of its own."""
    ours = ("DATABASE_URL", "TEMPORAL_ADDRESS", "SWITCHBOARD_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    command = [sys.executable, "-P", "-m", "cli", "doctor", *options]
    return subprocess.run(command, cwd=ROOT, env=kept | {"COLUMNS": "80"} | environment, capture_output=True, text=True, timeout=60)


def test_one_screen_of_80_columns_says_how_it_stands_and_shows_no_secret(stack: Running) -> None:
    ran = called("--data", str(stack.data))

    keys = json.loads((stack.data / "keys.json").read_text())
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert ran.stderr == ""
    assert [line for line in ran.stdout.splitlines() if len(line) > 80] == []
    assert [secret for secret in [*keys.values(), stack.told["admin_token"]] if secret in ran.stdout] == []
    assert all(f" {name} " in ran.stdout for name in CHECKS)


def test_the_same_as_json(stack: Running) -> None:
    ran = called("--data", str(stack.data), "--json")

    told = json.loads(ran.stdout)
    assert [check["name"] for check in told["checks"]] == list(CHECKS)
    assert all(check.keys() == {"name", "state", "found", "mend"} for check in told["checks"])
    assert {check["state"] for check in told["checks"] if check["name"] not in OF_THE_MACHINE} == {"ok"}
    assert told["up"] == stack.told["pid"]


def test_what_fails_ends_with_1_and_what_warns_with_0(stack: Running, elsewhere: Elsewhere) -> None:
    named = {"DATABASE_URL": elsewhere.app_url, "SWITCHBOARD_OWNER_DATABASE_URL": elsewhere.owner_url}
    executed(elsewhere.sql, "update messages set state = 'parked'", "alter table votes no force row level security")
    try:
        fails = called("--only", "isolation", "--only", "parked", "--data", str(stack.folder / "none"), **named)
        warns = called("--only", "parked", "--data", str(stack.folder / "none"), **named)
    finally:
        executed(elsewhere.sql, "update messages set state = 'accepted'", "alter table votes force row level security")

    assert (fails.returncode, warns.returncode) == (1, 0)
    assert fails.stdout.endswith("1 to mend, 1 to look at.\n")
    assert "→ As the owner: `alter table votes force row level security`." in " ".join(fails.stdout.split())
    assert warns.stdout.endswith("\n1 to look at.\n")
    assert "isolation" not in warns.stdout


def test_a_stopped_stack_is_no_failure(tmp_path: Path) -> None:
    ran = called("--data", str(tmp_path), "--port", "auto")

    assert ran.returncode == 0
    assert "stopped" in ran.stdout
    assert "start it with `./switchboard up`" in " ".join(ran.stdout.split())


@pytest.mark.parametrize("options", [("--only", "luck"), ("--port", "many")])
def test_what_cannot_be_meant_is_refused(options: tuple[str, ...]) -> None:
    ran = CliRunner().invoke(app, options)

    assert ran.exit_code == 2
    assert repr(options[1]) in ran.output
