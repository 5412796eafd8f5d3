"""A target for the attacks of a file, and the dice that they are thrown with."""

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.attack.target import Target


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    """Switchboard, running."""
    folder = Path(tempfile.mkdtemp(prefix="sba-"))
    folder.chmod(0o755)
    made = Target(folder)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def examples(request: pytest.FixtureRequest) -> int:
    """How often the dice are thrown at each operation, and where they begin: the same number throws the same again."""
    return int(request.config.getoption("--attack-examples"))


@pytest.fixture
def dice(examples: int) -> random.Random:
    """The dice of one test."""
    return random.Random(examples)
