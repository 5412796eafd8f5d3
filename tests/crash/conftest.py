"""One stack for the faults of a module; each test has visitors of its own."""

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tests.crash.stack import Stack, Stoppable
from tests.crash.stage import Stage, make_stage
from tests.journeys.receiver import receiving

S = TypeVar("S", bound=Stack)


@contextmanager
def ended(kind: type[S]) -> Iterator[S]:
    """A stack over a folder of its own, which nothing is left of afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="sbk-"))
    folder.chmod(0o755)
    stack = kind(folder)
    try:
        yield stack
        if stack.alive:
            stack.stop()
    finally:
        stack.kill_all()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def kept() -> Iterator[Stack]:
    """A stack for all tests of a module; it need not run."""
    with ended(Stack) as stack:
        yield stack


@pytest.fixture
def stack(kept: Stack) -> Stack:
    """Switchboard, running: a test that is tried again after it left a dead stack behind gets a living one."""
    if not kept.alive:
        kept.start()
    return kept


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Switchboard with places to stop at, the agents and accounts for every step, and a program on a wire."""
    with ended(Stoppable) as stack:
        stack.start()
        async with receiving() as receiver:
            yield await make_stage(stack, receiver)
