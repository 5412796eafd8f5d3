"""What the tests of the embedded parts share: short-lived real servers over a folder of their own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.postgres import Postgres
from embedded.temporal import Temporal

PASSWORD = "it's a: pass/word@%"


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[Postgres]:
    """A Postgres that was not started yet."""
    server = Postgres(tmp_path / "postgres", PASSWORD, log=tmp_path / "postgres.log")
    yield server
    server.kill()


@pytest.fixture
def temporal(tmp_path: Path) -> Iterator[Temporal]:
    """A Temporal that was not started yet."""
    server = Temporal(tmp_path / "temporal.db", log=tmp_path / "temporal.log")
    yield server
    server.kill()
