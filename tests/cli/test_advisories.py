"""What pip-audit reports, as `test` tells it: a finding fails, and what was not asked about is not called clean."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.advisories import ask, read

CLEAN = {"name": "anyio", "version": "4.16.0", "vulns": []}
SKIPPED = {"name": "httpx", "skip_reason": "Dependency not found and could not be audited: httpx (0.28.1)"}
FOUND = {
    "name": "jinja2", "version": "2.4.1",
    "vulns": [{"id": "PYSEC-2014-8", "fix_versions": ["2.7.2"], "aliases": [], "description": ""}, {"id": "GHSA-x", "fix_versions": []}],
}  # fmt: skip


@pytest.mark.parametrize(
    ("packages", "words", "findings"),
    [
        ([CLEAN], "1 packages, 0 known against them", ()),
        ([CLEAN, SKIPPED], "1 packages, 0 known against them; 1 that no service knows were not audited", ()),
        ([SKIPPED, SKIPPED], "could not be reached, not audited", ()),
        ([], "could not be reached, not audited", ()),
        (
            [CLEAN, FOUND],
            "2 packages, 2 known against them",
            ("jinja2 2.4.1: PYSEC-2014-8, mended in 2.7.2", "jinja2 2.4.1: GHSA-x, mended in no version yet"),
        ),
    ],
)
def test_a_report_is_told_as_what_it_is(packages: list[Any], words: str, findings: tuple[str, ...]) -> None:
    known = read(json.dumps({"dependencies": packages, "fixes": []}))

    assert (known.words(), known.findings) == (words, findings)


@pytest.mark.parametrize("said", ["", "No known vulnerabilities found", "[]", "null", "{}"])
def test_what_is_no_report_audited_nothing(said: str) -> None:
    assert read(said).audited == 0


def test_where_no_service_answers_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(proxy, "http://127.0.0.1:9")
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"jinja2==2.4.1 --hash=sha256:{'0' * 64}\n", "utf-8")

    assert ask(lock).words() == "could not be reached, not audited"
