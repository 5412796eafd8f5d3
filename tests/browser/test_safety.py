"""Whatever people and agents write stays text."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.screens import SOON, Approvals, Chat, Wire

ATTACKS = [
    "<img src=x onerror=window.hurt=1>",
    "<script>window.hurt=1</script>",
    "<svg/onload=window.hurt=1>",
    "javascript:window.hurt=1",
    "[press](javascript:window.hurt=1)",
    'https://example.org/"onmouseover="window.hurt=1',
    "```\n</code></pre><img src=x onerror=window.hurt=1>\n```",
    "`<img src=x onerror=window.hurt=1>` **<b onclick=window.hurt=1>bold</b>**",
    "\u202egnp.exe\u202c {{constructor.constructor('window.hurt=1')()}}",
]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_a_message_cannot_become_markup(chat: Chat, attack: str) -> None:
    """In the person's own words and in the answer."""
    await chat.send(f"echo {attack}")
    await expect(chat.page.locator("#rows > .theirs")).to_have_count(1, timeout=SOON)

    await is_unharmed(chat.page)
    await expect(chat.page.locator(".own [data-part=text]")).to_have_text(f"echo {attack}", use_inner_text=False)


async def test_arguments_and_comments_cannot_become_markup(chat: Chat, approvals: Approvals) -> None:
    """In the table of arguments, in the line of what was decided, and in the chat's card."""
    attack = "<img src=x onerror=window.hurt=1>"
    await chat.send(f"refund 7 to {attack}")
    ask = approvals.asks(attack)
    await ask.locator("textarea").fill("<script>window.hurt=1</script><img src=x onerror=window.hurt=1>", timeout=SOON)
    await ask.get_by_role("button", name="Deny").click()
    await expect(approvals.settled(attack).locator("blockquote")).to_contain_text("<script>", timeout=SOON)
    await expect(chat.card).to_have_attribute("data-lit", "no", timeout=SOON)

    await is_unharmed(approvals.page)
    await is_unharmed(chat.page)


async def test_links_are_found_and_made_safe(chat: Chat) -> None:
    """Only http and https; a closing bracket or full stop is not part of the address."""
    await chat.send("echo see (https://example.org/a_(b)) and http://example.org/c. Not ftp://example.org or mailto:a@example.org")
    links = chat.page.locator("#rows > .theirs a")
    await expect(links).to_have_count(2, timeout=SOON)

    assert [await link.get_attribute("href") for link in await links.all()] == ["https://example.org/a_(b)", "http://example.org/c"]
    for link in await links.all():
        assert {"noopener", "noreferrer", "nofollow"} == set((await link.get_attribute("rel") or "").split())


async def test_right_to_left_words_stand_right(chat: Chat) -> None:
    """Each text finds its own direction."""
    await chat.send("echo שלום עולם")
    await chat.hears("שלום עולם")

    direction = await chat.page.locator("#rows > .theirs .prose").evaluate("one => getComputedStyle(one).direction")

    assert direction == "rtl"


async def test_frames_that_make_no_sense_do_no_harm(chat: Chat, wire: Wire) -> None:
    """An unknown type, missing members, text of another kind: the chat goes on."""
    wire.inject(type="surprise")
    wire.inject(type="message", message_id="msg_odd", seq=0, direction="outbound")
    wire.inject(type="approval", approval_id="apr_odd", action="<b>x</b>", state="pending", arguments={"<i>name</i>": {"deep": "<u>"}})
    wire.inject(type="error", code="never_heard_of")

    await chat.send("echo still here")

    await chat.hears("still here")
    await is_unharmed(chat.page)


async def is_unharmed(page: Page) -> None:
    """No script of a message ran, and none of its tags became an element."""
    assert await page.evaluate("window.hurt") is None
    assert await page.locator("main :is(img, script, b, u, i:not(.dots i), [onerror], [onload], [onclick])").count() == 0
