"""A stack for load: real processes, room for exactly so many sockets, and a backend that streams."""

import os
import resource
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest

from embedded.running import ROOT
from tests.crash.stack import Stack
from tests.journeys.stacks import kit_in
from tests.load.crowd import SOCKETS, WITHIN

FILES = 4096
"""Open files a process of the stack, and the one that tests it, may have: a socket is one at either end."""
STREAMER = "[switchboard.backends]\nstreamer = tests.load.streamer:Streamer\n"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The soak takes as long as it is told, so it runs where somebody asks for it."""
    if not config.getoption("--soak"):
        soak = [item for item in items if "soak" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in soak]
        config.hook.pytest_deselected(items=soak)


@pytest.fixture
def soak(pytestconfig: pytest.Config) -> float:
    """Seconds that the soak takes."""
    return float(pytestconfig.getoption("--soak")) * 60


@pytest.fixture(scope="module")
def files() -> Iterator[None]:
    """Lets processes open as many files as the test needs, where the system allows it."""
    before, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES if most == resource.RLIM_INFINITY else min(FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before, wanted), most))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (before, most))


@pytest.fixture(scope="module")
def stack(files: None) -> Iterator[Stack]:
    """Switchboard as `up` starts it, with the tests' own backend installed beside its own. It ends as it should, with nothing left behind."""
    folder = Path(tempfile.mkdtemp(prefix="sbl-"))
    folder.chmod(0o755)
    path = os.pathsep.join((str(ROOT), str(kit_in(folder, STREAMER))))
    made = Stack(folder, environment={"PYTHONPATH": path, "SWITCHBOARD_CHAT_CONNECTIONS": str(SOCKETS)})
    try:
        made.start()
        yield made
        assert made.stop() == 0, made.log.read_text("utf-8")[-2000:]
    finally:
        with suppress(psutil.Error):
            made.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def api(stack: Stack) -> AsyncIterator[httpx.AsyncClient]:
    """A client with the admin's token."""
    key = {"authorization": f"Bearer {stack.told['admin_token']}"}
    async with httpx.AsyncClient(base_url=stack.told["api"], headers=key, timeout=WITHIN) as client:
        yield client
