"""A shell for each test, with a data folder that holds nothing."""

from pathlib import Path

import pytest

from tests.cli.running import Terminal
from tests.world import World


@pytest.fixture
def shell(live: World, tmp_path: Path) -> Terminal:
    """Commands against the live API."""
    return Terminal(live, tmp_path)
