"""How the pages look and can be used: on a phone, in the dark, by keyboard, by a screen reader."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import Stack
from tests.browser.screens import SOON, Approvals, Chat, Wire

PHONE: dict[str, Any] = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}}
LOOKS = [
    pytest.param(size | {"color_scheme": scheme}, id=f"{name}-{scheme}")
    for name, size in (("phone", PHONE), ("desk", DESK))
    for scheme in ("light", "dark")
]
LONG = "https://example.org/" + "unbroken" * 30

SMALL_TARGETS = """() => [...document.querySelectorAll('button, a, input, textarea, select')]
  .filter(one => one.checkVisibility({visibilityProperty: true}) && !one.closest('.prose, .bubble, .skip, [hidden]') && one.type !== 'hidden')
  .map(one => one.closest('label.choice') ?? one)
  .map(one => [one.outerHTML.slice(0, 80), one.getBoundingClientRect()])
  .filter(([, box]) => box.width < 43.9 || box.height < 43.9)
  .map(([markup, box]) => `${markup} ${box.width}x${box.height}`)"""


@pytest.mark.parametrize("looks", LOOKS)
async def test_the_chat_fits_and_has_no_serious_axe_finding(chat: Chat, looks: dict[str, Any]) -> None:
    """Empty, then with long words, code, a waiting approval and a draft in the field."""
    await fits(chat.page)
    await has_no_serious_finding(chat.page)
    await chat.send(f"echo {LONG}\n```\n{'a long line of code ' * 12}\n```\nand `inline` words")
    await expect(chat.page.locator("#rows > .theirs pre")).to_have_count(1, timeout=SOON)
    await chat.send("refund 25 to someone")
    await expect(chat.card).to_be_visible(timeout=SOON)
    await chat.page.fill("#text", "x" * 5_000)

    await fits(chat.page)
    await has_no_serious_finding(chat.page)


@pytest.mark.parametrize("looks", LOOKS)
async def test_the_approvals_fit_and_have_no_serious_axe_finding(approvals: Approvals, chat: Chat, looks: dict[str, Any]) -> None:
    """With one that waits and one that was decided."""
    await chat.send(f"refund 5 to {LONG[:150]}")
    ask = approvals.asks(LONG[:150]).first
    await ask.locator("textarea").fill("w" * 300, timeout=SOON)
    await ask.get_by_role("button", name="Deny").click()
    await expect(approvals.page.locator(".settled").first).to_be_visible()
    someone = f"Hanna {looks['viewport']['width']} {looks['color_scheme']}"
    await chat.send(f"refund 6 to {someone}")
    await expect(approvals.asks(someone)).to_be_visible(timeout=SOON)

    await fits(approvals.page)
    await has_no_serious_finding(approvals.page)


@pytest.mark.parametrize("looks", LOOKS)
async def test_the_door_fits_and_has_no_serious_axe_finding(stack: Stack, browser: Browser, looks: dict[str, Any]) -> None:
    """The sign-in page, before and after a link that failed, and an address without a chat."""
    context = await browser.new_context(**looks)
    for path in ("/console/sign-in", "/console/sign-in#token=old", "/chat/acc_nowhere"):
        page = await context.new_page()
        await page.goto(stack.api + path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await fits(page)
        await has_no_serious_finding(page)
    await context.close()


@pytest.mark.parametrize("looks", [PHONE | {"color_scheme": "light", "reduced_motion": "reduce"}])
async def test_nothing_moves_for_those_who_asked_for_it(chat: Chat, wire: Wire, looks: dict[str, Any]) -> None:
    """prefers-reduced-motion is obeyed."""
    wire.inject(type="typing")
    await expect(chat.page.locator(".typing")).to_be_visible()

    seconds = await chat.page.locator(".dots i").first.evaluate("one => parseFloat(getComputedStyle(one).animationDuration)")

    assert seconds < 0.01


async def test_the_chat_works_by_keyboard_alone(chat: Chat) -> None:
    """The first Tab leads to the field; focus can be seen."""
    await chat.page.keyboard.press("Tab")
    await expect(chat.page.locator(".skip")).to_be_focused()
    await chat.page.keyboard.press("Enter")
    await expect(chat.page.locator("#text")).to_be_focused()
    await chat.page.keyboard.type("echo by hand")
    await chat.page.keyboard.press("Tab")
    await expect(chat.page.locator("#send")).to_be_focused()
    outline = await chat.page.locator("#send").evaluate("one => getComputedStyle(one).outlineStyle")
    await chat.page.keyboard.press("Enter")

    assert outline == "solid"
    await chat.hears("by hand")


async def test_the_page_loads_nothing_from_elsewhere(stack: Stack, chat: Chat) -> None:
    """Every request goes to where the page came from, and hashed files may be kept for ever."""
    asked: list[str] = []
    kept: dict[str, str] = {}
    chat.page.on("request", lambda request: asked.append(request.url))
    chat.page.on("response", lambda response: kept.update({response.url: response.headers.get("cache-control", "")}))
    await chat.page.reload()
    await chat.connected()

    assert asked
    assert [url for url in asked if not url.startswith(stack.api)] == []
    assert all("immutable" in said for url, said in kept.items() if "/static/" in url and "?v=" in url)


async def fits(page: Page) -> None:
    """Nothing scrolls sideways, and everything that can be pressed is large enough for a thumb."""
    wide = await page.evaluate(
        "[document.documentElement, document.getElementById('scroller')].flatMap(one => one ? [one.scrollWidth, one.clientWidth] : [])"
    )

    assert wide[0] <= wide[1]
    assert wide[2:3] <= wide[3:4]
    assert await page.evaluate(SMALL_TARGETS) == []


async def has_no_serious_finding(page: Page) -> None:
    """axe has nothing of weight to say. Animations are let end first: what fades in has too little contrast for a moment."""
    await page.evaluate(
        "Promise.allSettled(document.getAnimations().filter(one => one.effect.getTiming().iterations !== Infinity).map(one => one.finished))"
    )
    found = (await Axe().run(page)).response["violations"]
    serious = [
        f"{one['id']}: {one['help']} {[node['html'][:120] for node in one['nodes']][:3]}" for one in found if one["impact"] in ("serious", "critical")
    ]

    assert serious == []
