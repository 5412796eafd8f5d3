"""One stack and one browser for all tests of the pages; a visitor and a signed-in member for each."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from playwright.async_api import Browser, BrowserContext, Page, StorageState, async_playwright, expect

from tests.browser.screens import SOON, Approvals, Chat, Wire

ROOT = Path(__file__).parents[2]
CHROMIUM = "/usr/bin/chromium"
QUIET = (
    "--no-sandbox", "--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
SIGN_IN = re.compile(r"http\S+/console/sign-in#\S+")
expect.set_options(timeout=SOON)

STARTED_WITHIN = 120
STOPPED_WITHIN = 60


@dataclass(frozen=True)
class Stack:
    """A running Switchboard: where it is seen, and its supervisor's process."""

    api: str
    chat: str
    sign_in: str
    admin_token: str
    pid: int

    def kill_api(self) -> None:
        """Kills the API's process as the kernel would; its supervisor starts another."""
        for child in psutil.Process(self.pid).children():
            with suppress(psutil.Error):  # one that has just ended has no command line
                if child.cmdline()[-1:] == ["api"]:
                    child.kill()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Switchboard as `up` starts it, on ports of its own choosing."""
    folder = tmp_path_factory.mktemp("stack")
    ready = folder / "ready.json"
    command = [sys.executable, "-m", "cli", "up", "--port", "auto", "--no-browser", "--data", str(folder / "data"), "--ready-file", str(ready)]
    told = {**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)}
    with (folder / "up.log").open("wb") as log:
        started = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, env=told)
    try:
        yield _when_ready(started, ready, folder / "up.log")
    finally:
        started.send_signal(signal.SIGINT)
        started.wait(STOPPED_WITHIN)


def _when_ready(started: "subprocess.Popen[bytes]", ready: Path, log: Path) -> Stack:
    deadline = time.monotonic() + STARTED_WITHIN
    while not ready.exists():
        assert started.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    while not (link := SIGN_IN.search(log.read_text())):
        time.sleep(0.1)
    told = json.loads(ready.read_text())
    return Stack(**{name: told[name] for name in ("api", "chat", "admin_token", "pid")}, sign_in=link.group())


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Debian's Chromium."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        yield launched
        await launched.close()


@pytest.fixture
def looks() -> dict[str, Any]:
    """How a test's pages are seen; a test overrides it by parametrizing."""
    return {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"}


@pytest.fixture
async def visitor(browser: Browser, looks: dict[str, Any]) -> AsyncIterator[BrowserContext]:
    """A browser that was never here."""
    context = await browser.new_context(**looks)
    yield context
    await context.close()


@pytest.fixture
def wire() -> Wire:
    """The socket of `chat`'s page, in the test's hands."""
    return Wire()


@pytest.fixture
async def chat(stack: Stack, visitor: BrowserContext, wire: Wire) -> AsyncIterator[Chat]:
    """The demo's chat, open and connected; no error may show in the browser's console."""
    page = await visitor.new_page()
    complaints = _complaints(page)
    await wire.lead(page)
    await page.goto(stack.chat)
    opened = Chat(page)
    await opened.connected()
    yield opened
    assert complaints == []


@pytest.fixture(scope="session")
async def signed_in(stack: Stack, browser: Browser) -> StorageState:
    """What a browser keeps after the sign-in link was opened; the link works once."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(stack.sign_in)
    await page.wait_for_url(re.compile("/console/approvals$"))
    state = await context.storage_state()
    await context.close()
    return state


@pytest.fixture
async def approvals(stack: Stack, browser: Browser, signed_in: StorageState, looks: dict[str, Any]) -> AsyncIterator[Approvals]:
    """The approvals page of the demo's owner."""
    context = await browser.new_context(storage_state=signed_in, **looks)
    page = await context.new_page()
    complaints = _complaints(page)
    await page.goto(f"{stack.api}/console/approvals")
    await expect(page.locator("#pulse")).not_to_have_text("Loading…")
    yield Approvals(page)
    await context.close()
    assert complaints == []


def _complaints(page: Page) -> list[str]:
    """What the browser complains of while a test runs: exceptions and breaches of the content security policy."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if "Content Security Policy" in message.text else None)
    return heard


async def until(condition: Any, within: float = 60.0) -> None:
    """Waits for a plain condition."""
    deadline = asyncio.get_running_loop().time() + within
    while not condition():
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.05)
