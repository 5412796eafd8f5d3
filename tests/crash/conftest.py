"""One stack for the faults of a run; each test has visitors of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.stack import Stack


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Switchboard, running."""
    folder = Path(tempfile.mkdtemp(prefix="sbk-"))
    folder.chmod(0o755)
    made = Stack(folder)
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)
