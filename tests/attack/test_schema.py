"""Schemathesis over the whole schema, as every role and as nobody: no 5xx, and no answer that the schema does not promise.

What it throws begins at `--attack-examples`. A failure says how to have it again, as a call of curl.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from domain.roles import Role
from tests.attack.target import Target

STREAMS = "/v1/events"
"""Has no end; tests/api and the floods of this folder read it."""
NOT_HERE = ("positive_data_acceptance",)
"""A schema cannot say which names are taken, or which ids there are."""
SETTINGS = """
warnings = false
request-timeout = 60
continue-on-failure = true
[generation]
database = "none"
no-shrink = true
[checks.negative_data_rejection]
# 412: the version is compared before the body is looked at
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 429]
[phases.stateful]
max-steps = 8
[parameters]
"query.wait" = 0.01 # each would be waited for
[[operations]]
include-path = "/v1/keys/{{key_id}}"
[operations.parameters]
"path.key_id" = "{spare}" # else it would revoke the key that it calls with
"""


@pytest.mark.timeout(0)
@pytest.mark.parametrize("role", [*get_args(Role), "nobody"])
def test_every_answer_is_one_the_schema_promises(target: Target, tmp_path: Path, examples: int, role: str) -> None:
    settings = tmp_path / "schemathesis.toml"
    settings.write_text(SETTINGS.format(spare=_spare(target)), "utf-8")
    credentials = ["--header", f"Authorization: Bearer {target.keys[role]}"] if role in target.keys else []

    ended = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", "--config-file", str(settings), "run", f"{target.told['api']}/openapi.json", *credentials,
         "--seed", str(examples), "--max-examples", str(examples), "--phases", _phases(role, examples),
         "--exclude-path", STREAMS, "--exclude-checks", ",".join(NOT_HERE), "--no-color",
         "--report", "json", "--report-json-path", str(tmp_path / "report.json")],
        cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip

    assert ended.returncode == 0, f"--attack-examples {examples}, {role}:\n{ended.stdout[-20_000:]}"
    tried = json.loads((tmp_path / "report.json").read_text("utf-8"))["operations"]
    assert tried["tested"] == tried["total"] - 1
    target.served()


def _phases(role: str, examples: int) -> str:
    """All for the role that may most of all without being a stranger; for the others chance alone, unless there is time."""
    return "examples,coverage,fuzzing,stateful" if role == "customer_admin" or examples > 1 else "fuzzing"


def _spare(target: Target) -> str:
    """The id of a key that nobody needs."""
    made = target.key("customer_operator")
    return str(target.rows("select id from keys where prefix = %s order by created_at desc", made[:8])[0]["id"])
