"""The tour on the demo's chat: the page tells the story while its own API is killed under it; and nobody but the owner can have anything killed."""

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from playwright.async_api import Browser, Page, StorageState, expect

from embedded.folder import opened
from embedded.signals import Signals
from embedded.stack import TOURED, Stack, Wish
from embedded.supervisor import TOUR, Supervisor
from tests.browser.conftest import Stack as Served
from tests.browser.screens import SOON
from tests.browser.test_looks import LOOKS, fits, has_no_serious_finding
from tests.embedded.test_supervisor import Heard


@pytest.fixture
async def owned(stack: Served, browser: Browser, signed_in: StorageState, looks: dict[str, Any]) -> AsyncIterator[Page]:
    """The demo's chat, as its owner sees it."""
    context = await browser.new_context(storage_state=signed_in, **looks)
    page = await context.new_page()
    await page.goto(stack.chat)
    await expect(page.locator("body")).to_have_attribute("data-connection", "open", timeout=SOON)
    yield page
    await context.close()


def children(stack: Served) -> dict[str, int]:
    """The pids of worker and API."""
    found = {}
    for child in psutil.Process(stack.pid).children():
        words = child.cmdline()
        found |= {name: child.pid for name in ("worker", "api") if words[-1:] == [name]}
    return found


@pytest.mark.parametrize("looks", LOOKS)
async def test_the_tour_shows_a_refund_paid_once_though_worker_and_api_were_killed(stack: Served, owned: Page, looks: dict[str, Any]) -> None:
    before = children(stack)
    words = owned.locator("#tour-words")
    await owned.click("#tour-open")
    await expect(owned.locator("#tour-title")).to_be_focused()
    await fits(owned)
    await has_no_serious_finding(owned)
    await owned.click("#tour-ask")
    await owned.click("#tour-kill", timeout=SOON)
    await expect(words).to_contain_text("Killed with SIGKILL", timeout=SOON)
    await expect(words).to_contain_text("answers now. The approval is still pending, with the same arguments: 42 to Ana", timeout=SOON)
    await fits(owned)
    await owned.click("#tour-approve", timeout=SOON)
    await expect(words).to_have_text("Paid: the table demo_refunds has one row for it.", timeout=SOON)

    assert re.match(r"http://127\.0\.0\.1:\d+/namespaces/default/workflows/approval", await owned.get_attribute("#tour-run", "href") or "")
    await expect(owned.locator("#tour-steps .past")).to_have_count(5)
    await fits(owned)
    await has_no_serious_finding(owned)
    after = children(stack)
    assert after.keys() == before.keys() == {"worker", "api"}
    assert {name for name in after if after[name] == before[name]} == set(), "both are other processes than before"
    if folder := os.environ.get("SCREENSHOTS"):
        await owned.screenshot(path=str(Path(folder) / f"tour-{looks['viewport']['width']}-{looks['color_scheme']}.png"))


async def test_somebody_who_is_not_signed_in_is_not_even_shown_it(stack: Served, browser: Browser) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(stack.chat)

    await expect(page.locator("#tour, #tour-open")).to_have_count(0)
    assert "tour.js" not in await page.content()
    await context.close()


async def test_only_the_owner_at_the_console_may_have_anything_killed(stack: Served, signed_in: StorageState) -> None:
    """A visitor, the cookie without its CSRF token, and the owner's own API key are refused, and nothing is killed."""
    before = children(stack)
    cookies = {str(one["name"]): str(one["value"]) for one in signed_in["cookies"]}
    tries: list[tuple[dict[str, str], dict[str, str]]] = [
        ({}, {}), ({}, {"x-csrf-token": "guessed"}), (cookies, {}), (cookies, {"x-csrf-token": "guessed"}),
        ({}, {"authorization": f"Bearer {stack.admin_token}"}),
    ]  # fmt: skip
    answers = []
    for given, headers in tries:
        async with httpx.AsyncClient(base_url=stack.api, cookies=given) as client:
            answers.append((await client.post("/console/tour/kill", headers=headers)).json()["code"])
            await client.get("/healthz")

    assert answers == ["unauthorized", "unauthorized", "csrf_failed", "csrf_failed", "forbidden"]
    assert children(stack) == before


@pytest.mark.parametrize(
    ("lan", "demo", "outside", "told"),
    [(False, True, {}, "true"), (True, True, {}, "false"), (False, False, {}, "false"), (True, False, {"SWITCHBOARD_TOUR": "true"}, "false")],
)
def test_it_is_offered_for_the_demo_on_the_own_machine_alone(tmp_path: Path, lan: bool, demo: bool, outside: dict[str, str], told: str) -> None:
    wish = Wish(data=tmp_path, port=0, temporal_port=0, ui_port=0, lan=lan, demo=demo, outside=outside)
    with Signals() as signals, opened(tmp_path) as folder:
        supervisor = Supervisor(folder, signals, Heard())
        stack = Stack(wish, folder, supervisor, None)  # type: ignore[arg-type] # nothing is started, so nobody is told

        assert stack._environment(owner=False)["SWITCHBOARD_TOUR"] == told
        assert tuple(supervisor.kills_when_asked) == (TOURED if told == "true" else ())


def test_a_request_that_is_not_offered_is_left_lying(tmp_path: Path) -> None:
    """Without the tour a file in the data folder has nothing killed."""
    with Signals() as signals, opened(tmp_path) as folder:
        supervisor = Supervisor(folder, signals, Heard())
        (tmp_path / TOUR).touch()
        supervisor._kill_where_asked(0.0)
        assert (tmp_path / TOUR).exists()

        supervisor.kills_when_asked = TOURED
        supervisor._kill_where_asked(0.0)
        assert not (tmp_path / TOUR).exists()
