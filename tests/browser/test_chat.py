"""The web chat as a person uses it."""

import re

from playwright.async_api import BrowserContext, expect

from tests.browser.screens import SOON, Chat, Wire


async def test_a_message_is_stored_answered_and_still_there_after_a_reload(chat: Chat) -> None:
    """Sending, the tick, the answer; a reload shows the same conversation once."""
    await chat.send("echo good morning")
    await chat.stored("echo good morning")
    await chat.hears("good morning")

    await chat.page.reload()

    await chat.stored("echo good morning")
    await chat.hears("good morning")
    await expect(chat.page.locator(".day [data-part=name]").first).to_have_text("Today")
    await expect(chat.page.locator("#empty")).to_be_hidden()


async def test_an_empty_chat_offers_three_things_to_try(chat: Chat) -> None:
    """The first page has suggestions, and one press sends one."""
    await expect(chat.page.locator("#empty")).to_be_visible()
    await expect(chat.page.locator("[data-say]")).to_have_count(3)

    await chat.page.get_by_role("button", name=re.compile("^echo hello")).click()

    await chat.stored("echo hello")
    await chat.hears("hello")
    await expect(chat.page.locator("#empty")).to_be_hidden()


async def test_the_page_has_the_accounts_name_and_says_that_an_ai_answers(chat: Chat) -> None:
    """Title, heading and notice."""
    name = await chat.page.locator("h1").inner_text()

    assert await chat.page.title() == name
    await expect(chat.page.get_by_text("You are talking to an AI")).to_be_visible()


async def test_messages_stand_in_the_order_they_were_sent(chat: Chat) -> None:
    """Ten messages in a burst: each once, in order, and every answer comes."""
    texts = [f"echo number {number}" for number in range(10)]
    for text in texts:
        await chat.send(text)
    await chat.hears("number 9")

    shown = [text.strip() for text in await chat.page.locator(".own [data-part=text]").all_inner_texts()]

    assert texts == shown
    for number in range(10):
        await chat.hears(f"number {number}")


async def test_enter_sends_and_shift_enter_makes_a_line(chat: Chat) -> None:
    """The field grows with the text; the draft survives a reload; sending empties both."""
    field = chat.page.locator("#text")
    small = (await field.bounding_box() or {})["height"]
    await field.focus()
    await chat.page.keyboard.type("echo one")
    for line in ("two", "three"):
        await chat.page.keyboard.press("Shift+Enter")
        await chat.page.keyboard.type(line)

    assert (await field.bounding_box() or {})["height"] > small
    await chat.page.reload()
    await expect(field).to_have_value("echo one\ntwo\nthree")

    await field.press("Enter")

    await expect(field).to_have_value("")
    await chat.hears(re.compile(r"one\s+two\s+three"))


async def test_a_long_message_is_counted_and_one_that_is_too_long_stays_in_the_field(chat: Chat) -> None:
    """Four thousand characters go through whole; beyond the limit the button is off and says why."""
    await chat.page.fill("#text", "echo " + "word " * 900)
    await expect(chat.page.locator("#count")).to_have_text(re.compile("^4,50[45] of 16,000 characters$"))
    await chat.page.press("#text", "Enter")
    await expect(chat.page.locator("#rows > .theirs").first).to_contain_text("word " * 700, timeout=SOON)

    await chat.page.fill("#text", "x" * 16_010)

    await expect(chat.page.locator("#count")).to_have_text("10 characters too many")
    await expect(chat.page.locator("#send")).to_be_disabled()


async def test_typing_is_shown_until_the_answer_comes(chat: Chat, wire: Wire) -> None:
    """While a turn runs the page says that somebody writes."""
    await chat.send("slow 2 patience")
    await chat.stored("slow 2 patience")

    wire.inject(type="typing")

    await expect(chat.page.locator(".typing")).to_be_visible()

    await chat.hears("patience")
    await expect(chat.page.locator(".typing")).to_have_count(0)


async def test_a_streamed_answer_grows_in_place_and_becomes_the_message(chat: Chat, wire: Wire) -> None:
    """Pieces append, `reset` starts over, and the finished message stands where its draft stood."""
    await chat.send("echo begin")
    await chat.hears("begin")
    last = max(frame["seq"] for frame in wire.came if frame["type"] == "message")
    draft = chat.page.locator(".draft [data-part=text]")

    for piece in ("Once upon", " a time", " there was"):
        wire.inject(type="delta", message_id="msg_stream", text=piece)
    await expect(draft).to_have_text("Once upon a time there was")
    wire.inject(type="delta", message_id="msg_stream", text="Twice upon a time", reset=True)
    await expect(draft).to_have_text("Twice upon a time")
    before = await draft.bounding_box()

    wire.inject(type="message", message_id="msg_stream", seq=last + 1, text="Twice upon a time.", direction="outbound")

    await chat.hears("Twice upon a time.")
    await expect(draft).to_have_count(0)
    after = await chat.said("Twice upon a time.").bounding_box()
    assert before is not None
    assert after is not None
    assert abs(before["y"] - after["y"]) < 2


async def test_someone_who_reads_further_up_is_left_there(chat: Chat, wire: Wire) -> None:
    """A new message does not scroll the page away; a pill tells of it and leads there."""
    await chat.send("echo " + "\n".join(f"line {number}" for number in range(80)))
    await expect(chat.page.locator("#rows > .theirs")).to_have_count(1, timeout=SOON)
    scroller = chat.page.locator("#scroller")
    await scroller.evaluate("place => place.scrollTo(0, 100)")
    await chat.page.wait_for_timeout(100)

    wire.inject(type="message", message_id="msg_new", seq=99, text="something new", direction="outbound")

    await expect(chat.page.locator("#pill")).to_have_text("1 new message")
    assert await scroller.evaluate("place => place.scrollTop") == 100
    await chat.page.click("#pill")
    await expect(chat.said("something new")).to_be_in_viewport()
    await expect(chat.page.locator("#pill")).to_be_hidden()


async def test_a_button_sends_its_text(chat: Chat, wire: Wire) -> None:
    """Quick answers under a message; the one that was taken stays marked."""
    buttons = [{"id": "a", "label": "The blue one", "text": "echo blue"}, {"id": "b", "label": "The red one", "text": "echo red"}]
    wire.inject(type="message", message_id="msg_ask", seq=1, text="Which one?", direction="outbound", buttons=buttons)

    await chat.page.get_by_role("button", name="The blue one").click()

    await chat.hears("blue")
    await expect(chat.page.get_by_role("button", name="The blue one")).to_have_attribute("aria-pressed", "true")
    await expect(chat.page.get_by_role("button", name="The red one")).to_be_disabled()


async def test_errors_are_sentences_and_the_socket_stays(chat: Chat, wire: Wire) -> None:
    """A refused message can be taken back and mended; other errors are a line above the field."""
    wire.passes = lambda frame: frame["type"] != "ack" and frame.get("direction") != "inbound"
    await chat.send("echo mend me")
    await expect(chat.own("echo mend me")).to_have_attribute("data-state", "sending")
    client_id = await wire.id_of("echo mend me")

    wire.inject(type="error", code="too_long", id=client_id)
    await expect(chat.page.locator(".refusal")).to_contain_text("longer than this chat takes")
    await chat.page.get_by_role("button", name="Edit").click()
    await expect(chat.page.locator("#text")).to_have_value("echo mend me")
    await expect(chat.own("echo mend me")).to_have_count(0)

    wire.inject(type="error", code="model_unavailable")
    await expect(chat.page.locator("#notice")).to_contain_text("Your message is safe")
    await chat.connected()


async def test_two_tabs_of_one_visitor_show_the_same(chat: Chat, visitor: BrowserContext) -> None:
    """What is written in one tab is in the other, once, with its answer."""
    await chat.send("echo first")
    await chat.hears("first")
    other = Chat(await visitor.new_page())
    await other.page.goto(chat.page.url)
    await other.hears("first")

    await other.send("echo second")

    for tab in (chat, other):
        await tab.stored("echo second")
        await tab.hears("second")
        await expect(tab.page.locator(".row")).to_have_count(4)


async def test_earlier_messages_come_when_asked_for(chat: Chat) -> None:
    """A long conversation opens at its end; what was before is a press away and moves nothing."""
    for number in range(45):
        await chat.send(f"echo {number}")
    await chat.hears("44")
    await chat.page.reload()
    await chat.hears("44")
    await expect(chat.own("echo 0")).to_have_count(0)

    await chat.page.locator("#scroller").evaluate("place => place.scrollTo(0, 0)")
    await chat.page.get_by_role("button", name="Show earlier messages").click()

    await chat.hears("0")
    await expect(chat.own("echo 0")).to_have_count(1)
    await expect(chat.page.locator("#earlier")).to_be_hidden()
