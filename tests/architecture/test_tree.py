"""What must not be anywhere in the tree."""

import re
from pathlib import Path

from tests.architecture.tree import files, name

NOT_TEXT = frozenset({".png", ".jpg", ".jpeg", ".gif", ".ico", ".woff2", ".gz", ".db"})
REGISTRIES = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"), ("pythonhosted", "org"), ("registry", "npmjs"), ("npmjs", "com"), ("deb", "debian", "org"), ("proxy", "golang", "org"),
        ("docker", "io"), ("ghcr", "io"), ("quay", "io"), ("gcr", "io"), ("crates", "io"), ("rubygems", "org"),
    )
)  # fmt: skip
"""Where packages come from is the affair of whoever installs: the clients know their registry. (In parts, so that this file is clean.)"""
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:work|root|home|Users)/[\w.-]+")
SECRET = re.compile(
    r"\b(?:sk-ant-[\w-]{20,}|sk-[A-Za-z0-9]{32,}|ghp_\w{30,}|xox[abp]-[\w-]{20,}|AKIA[0-9A-Z]{16})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
CHANNELS_OWN = ("tests/channels/",)
"""Recorded payloads, whose keys are made up."""


def read(path: Path) -> str:
    return path.read_text("utf-8", errors="replace")


def text_files() -> list[Path]:
    return [path for path in files() if path.suffix not in NOT_TEXT]


def test_no_file_names_a_package_registry() -> None:
    naming = [f"{name(path)}: {host}" for path in text_files() for host in REGISTRIES if re.search(rf"(?<![\w-]){re.escape(host)}\b", read(path))]

    assert naming == []


def test_no_file_holds_a_path_of_somebodys_machine() -> None:
    holding = [f"{name(path)}: {found}" for path in text_files() for found in MACHINE_PATH.findall(read(path))]

    assert holding == []


def test_no_file_holds_what_looks_like_a_real_secret() -> None:
    assert [name(path) for path in text_files() if SECRET.search(read(path)) and not name(path).startswith(CHANNELS_OWN)] == []


def test_nothing_is_left_to_do_in_a_comment() -> None:
    marks = re.compile(r"#\s*(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

    assert [name(path) for path in text_files() if path.suffix == ".py" and marks.search(read(path))] == []


def test_no_test_is_skipped() -> None:
    skipping = re.compile(r"pytest\.(?:mark\.)?(?:skip|skipif|xfail|importorskip)\(")
    tests = [path for path in text_files() if name(path).startswith("tests/") and path.suffix == ".py"]

    assert [name(path) for path in tests if skipping.search(read(path))] == []
