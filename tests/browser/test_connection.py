"""What the chat does when the connection fails: nothing is lost, nothing comes twice, and the page says so calmly."""

import asyncio
import re
from contextlib import suppress

import httpx
from playwright.async_api import expect

from tests.browser.conftest import Stack, until
from tests.browser.screens import Chat, Wire

NOTES_PAUSES = """() => {
  const plain = setTimeout;
  window.pauses = [];
  window.setTimeout = (act, after) => {
    if (String(act).includes("this.open()")) pauses.push(after);
    return plain(act, after);
  };
}"""
LONGEST_PAUSE = 3_000
"""Milliseconds; with the start of an API that makes the five seconds in which a page is back."""


async def test_after_a_killed_api_the_page_is_soon_back_and_nothing_is_missed(stack: Stack, chat: Chat, wire: Wire) -> None:
    """A turn runs and a message is written while the API is dead; both arrive once. The page never pauses for long before it tries again."""
    await chat.page.evaluate(NOTES_PAUSES)
    await chat.send("slow 2 written before")
    await chat.stored("slow 2 written before")

    wire.is_cut = True  # so that it is seen to be away, however quickly the next API is there
    stack.kill_api()
    await expect(chat.page.locator("body")).not_to_have_attribute("data-connection", "open")
    await chat.send("echo written meanwhile")
    await expect(chat.own("echo written meanwhile")).to_have_attribute("data-state", "sending")
    await _serves(stack)
    wire.is_cut = False
    await chat.connected()

    assert 0 < max(await chat.page.evaluate("pauses")) <= LONGEST_PAUSE
    await chat.stored("echo written meanwhile")
    await chat.hears("written before")
    await chat.hears("written meanwhile")
    await expect(chat.page.locator(".row")).to_have_count(4)


async def test_the_banner_tells_of_a_drop_and_of_the_return(chat: Chat, wire: Wire) -> None:
    """Reconnecting… while it is away, Connected when it is back, both for screen readers too."""
    banner, status = chat.page.locator("#banner"), chat.page.locator("[aria-live=polite]#status")
    await expect(status).to_have_text("Connected")
    wire.is_cut = True
    await wire.drop()

    await expect(banner).to_be_visible()
    await expect(banner).to_contain_text("Reconnecting…")
    await expect(status).to_have_text("Reconnecting")

    wire.is_cut = False

    await expect(banner).to_contain_text("Connected")
    await expect(status).to_have_text("Connected")
    await expect(banner).to_be_hidden()


async def test_a_message_whose_ack_was_lost_is_sent_again_and_stored_once(chat: Chat, wire: Wire) -> None:
    """The same id goes out again after the reconnect; the server says duplicate; one message, one answer."""
    wire.passes = lambda frame: frame["type"] == "hello"
    await chat.send("echo once")
    await until(lambda: any(frame["type"] == "ack" for frame in wire.came))

    await wire.drop()
    wire.passes = lambda frame: True

    await chat.stored("echo once")
    await chat.hears("once")
    acks = [frame for frame in wire.came if frame["type"] == "ack"]
    assert [frame["duplicate"] for frame in acks] == [False, True]
    assert len({frame["message_id"] for frame in acks}) == 1
    await expect(chat.page.locator(".row")).to_have_count(2)


async def test_what_was_written_while_away_survives_a_reload(chat: Chat, wire: Wire) -> None:
    """The outbox is kept in the browser: a reload in the middle loses nothing and keeps the order."""
    wire.is_cut = True
    await wire.drop()
    texts = ["echo one", "echo two", "echo three"]
    for text in texts:
        await chat.send(text)

    await chat.page.reload()
    await expect(chat.own("echo three")).to_have_attribute("data-state", "sending")
    wire.is_cut = False

    await chat.hears("three")
    shown = [text.strip() for text in await chat.page.locator(".own [data-part=text]").all_inner_texts()]
    assert texts == shown
    for text in texts:
        await chat.stored(text)


async def test_going_offline_is_said_and_coming_online_connects_at_once(chat: Chat) -> None:
    """The browser's own word on the network is used."""
    await chat.page.context.set_offline(True)
    await expect(chat.page.locator("#banner")).to_contain_text("You are offline")
    await chat.send("echo later")

    await chat.page.context.set_offline(False)

    await chat.connected()
    await chat.hears("later")


async def test_a_full_chat_is_explained_and_tried_again(chat: Chat, wire: Wire) -> None:
    """At the limit the server says so and closes; the page keeps what is written and comes back."""
    wire.is_cut = True
    wire.inject(type="error", code="connection_limit")
    await wire.drop()

    await expect(chat.page.locator("#banner")).to_have_text(re.compile("full right now"))
    wire.is_cut = False

    await chat.connected()


async def _serves(stack: Stack) -> None:
    """Returns when the API answers again."""
    async with httpx.AsyncClient(base_url=stack.api) as client:
        while True:
            with suppress(httpx.TransportError):
                if (await client.get("/healthz")).is_success:
                    return
            await asyncio.sleep(0.05)
