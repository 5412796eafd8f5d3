"""What is installed is exactly what was locked: one version of each package, by its hash."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY = re.compile(r"[a-z0-9][a-z0-9._-]*(\[[a-z,-]+\])?==[^\s;]+( ; [^\\]+)?( \\\n {4}--hash=sha256:[0-9a-f]{64})+")


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-test.lock"])
def test_every_package_is_locked_to_a_version_and_its_hashes(name: str) -> None:
    text = "\n".join(line for line in (ROOT / name).read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
    entries = re.split(r"\n(?=\S)", text.strip())

    assert len(entries) > 20
    assert [entry for entry in entries if not ENTRY.fullmatch(entry.strip())] == []
