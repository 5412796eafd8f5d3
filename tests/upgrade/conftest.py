"""Folders of two versions, and short places for the data of a running stack."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.upgrade.trees import today, tomorrow


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """A folder that Postgres may live in, whoever runs it."""
    folder = Path(tempfile.mkdtemp(prefix="sbu-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def old(place: Path) -> Path:
    """The version that runs."""
    return today(place / "old")


@pytest.fixture(scope="module")
def new(place: Path) -> Path:
    """The version it is upgraded to."""
    return tomorrow(place / "new")
