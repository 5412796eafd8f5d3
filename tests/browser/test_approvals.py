"""Approvals: asked in the chat, decided on the console, told in the chat."""

import re
from collections.abc import Mapping

import httpx
from playwright.async_api import Browser, expect

from tests.browser.conftest import Stack
from tests.browser.screens import SOON, Approvals, Chat, Wire


async def test_an_approval_given_on_the_console_shows_in_the_chat(chat: Chat, approvals: Approvals) -> None:
    """The card waits in the conversation, appears by itself for the owner, and changes when it is decided."""
    await chat.send("refund 25 to Ana")
    await expect(chat.card).to_contain_text("Waiting for a person", timeout=SOON)
    await expect(chat.card).to_contain_text(re.compile(r"Asked the owner — (30|29) min left"))
    await expect(chat.card.locator("dd")).to_have_text(["25", "Ana"])
    ask = approvals.asks("Ana")
    await expect(ask).to_be_visible(timeout=SOON)

    await ask.locator("textarea").fill("She waited long enough.")
    await ask.get_by_role("button", name="Approve").click()

    await expect(approvals.settled("Ana")).to_contain_text("Approved", timeout=SOON)
    await expect(approvals.settled("Ana")).to_contain_text("She waited long enough.")
    await expect(approvals.settled("Ana")).to_contain_text("by you · carried out", timeout=SOON)
    await expect(ask).to_have_count(0)
    await expect(chat.card).to_have_attribute("data-lit", "yes", timeout=SOON)
    await expect(chat.card).to_contain_text("Approved")
    await chat.hears(re.compile("25.*approved|approved.*25"))

    before = await chat.page.locator(".row").evaluate_all("rows => rows.map(row => row.dataset.side)")
    await chat.page.reload()

    await expect(chat.card).to_contain_text("Approved", timeout=SOON)
    assert await chat.page.locator(".row").evaluate_all("rows => rows.map(row => row.dataset.side)") == before == ["own", "card", "theirs", "theirs"]


async def test_a_decision_that_was_missed_is_told_on_return(stack: Stack, chat: Chat, wire: Wire, approvals: Approvals) -> None:
    """Decided while the chat was away: its card is right as soon as it is back."""
    await chat.send("refund 26 to Abel")
    await expect(chat.card).to_contain_text("Waiting for a person", timeout=SOON)
    wire.is_cut = True
    await wire.drop()
    await decide(stack, await approvals.asks("Abel").locator("[data-part=id]").inner_text(), "denied")

    wire.is_cut = False

    await expect(chat.card).to_contain_text("Denied", timeout=SOON)
    await expect(chat.card).to_have_count(1)


async def test_a_denial_reaches_the_chat(chat: Chat, approvals: Approvals) -> None:
    """The other button."""
    await chat.send("refund 900 to Bo")
    await approvals.asks("Bo").get_by_role("button", name="Deny").click(timeout=SOON)

    await expect(approvals.settled("Bo")).to_contain_text("Denied", timeout=SOON)
    await expect(chat.card).to_have_attribute("data-lit", "no", timeout=SOON)
    await chat.hears(re.compile("900.*denied|denied.*900"))


async def test_a_card_says_what_is_asked_by_whom_and_for_how_long(chat: Chat, approvals: Approvals) -> None:
    """Arguments as a table, a countdown that runs, the hash, the id, and both runs in Temporal."""
    await chat.send("refund 31 to Cleo")
    ask = approvals.asks("Cleo")
    await expect(ask.locator("h2")).to_have_text("Refund", timeout=SOON)
    approval = await ask.locator("[data-part=id]").inner_text()

    await expect(ask.locator("dt")).to_have_text(["amount", "to"])
    await expect(ask.locator("dd")).to_have_text(["31", "Cleo"])
    await expect(ask.locator("[data-part=who]")).to_contain_text("in conversation con_")
    await expect(ask.locator("[data-part=hash]")).to_have_text(re.compile("^sha256 [0-9a-f]{12}$"))
    first = await ask.locator("[data-part=left]").inner_text()
    assert re.fullmatch(r"(30:00|29:\d\d)", first)
    await expect(ask.locator("[data-part=left]")).not_to_have_text(first)
    runs = [await ask.locator(f"[data-part={name}]").get_attribute("href") or "" for name in ("run", "session-run")]
    assert re.search(rf"/workflows/approval%2Ften_\w+%2F{approval}$", runs[0])
    assert re.search(r"/workflows/session%2Ften_\w+%2Fses_\w+$", runs[1])


async def test_what_is_being_typed_is_not_lost_when_others_decide(stack: Stack, chat: Chat, approvals: Approvals) -> None:
    """New cards arrive and this one is decided elsewhere: the comment stays, and the card says what happened."""
    await chat.send("refund 41 to Dora")
    ask = approvals.asks("Dora")
    comment = ask.locator("textarea")
    await comment.fill("I am not sure about", timeout=SOON)
    await chat.send("refund 42 to Emil")
    await expect(approvals.asks("Emil")).to_be_visible(timeout=SOON)
    await comment.press_sequentially(" this one")

    await decide(stack, await ask.locator("[data-part=id]").inner_text(), "denied")

    await expect(ask.locator("[data-part=outcome]")).to_contain_text("denied this at", timeout=SOON)
    await expect(ask.locator("[data-part=outcome]")).to_contain_text("Your comment was not sent")
    await expect(comment).to_have_value("I am not sure about this one")
    await ask.get_by_role("button", name="Move to decided").click()
    await expect(approvals.settled("Dora")).to_contain_text("Denied")
    await expect(ask).to_have_count(0)


async def test_a_decision_that_comes_too_late_is_explained(stack: Stack, chat: Chat, approvals: Approvals) -> None:
    """The answer 409 becomes a sentence with who and when."""
    await chat.send("refund 51 to Finn")
    ask = approvals.asks("Finn")
    await expect(ask).to_be_visible(timeout=SOON)
    await approvals.page.route("**/v1/approvals?*", lambda route: route.abort())
    await approvals.page.route("**/v1/approvals", lambda route: route.abort())
    await decide(stack, await ask.locator("[data-part=id]").inner_text(), "denied")

    await ask.get_by_role("button", name="Approve").click()

    await expect(ask.locator("[role=alert]")).to_have_text(re.compile(r"^This was already denied by .+ at \d"))
    await expect(ask.get_by_role("button", name="Approve")).to_be_hidden()


async def test_whoever_asked_is_told_that_another_has_to_decide(stack: Stack, approvals: Approvals) -> None:
    """The answer 403 becomes a sentence; the card and its comment stay."""
    await request(stack, action="publish", arguments={"to": "Ines"}, allow_self=False)
    ask = approvals.asks("Ines")
    await ask.locator("textarea").fill("fine with me", timeout=SOON)

    await ask.get_by_role("button", name="Approve").click()

    await expect(ask.locator("[role=alert]")).to_have_text("Whoever asked may not decide. Another approver has to.")
    await expect(ask.locator("textarea")).to_have_value("fine with me")


async def test_a_choice_needs_one_option_and_a_no_needs_none(stack: Stack, approvals: Approvals) -> None:
    """The kind `choose`: an option is picked before it can be sent."""
    carriers = ["DHL", "Post"]
    await request(stack, action="choose_carrier", kind="choose", options=carriers, arguments={"to": "Jan"}, allow_self=True)
    await request(stack, action="choose_carrier", kind="choose", options=carriers, arguments={"to": "Kim"}, allow_self=True)
    ask = approvals.asks("Jan")
    await ask.get_by_role("button", name="Choose").click(timeout=SOON)
    await expect(ask).to_be_visible()
    await ask.get_by_label("Post").check()
    await ask.get_by_role("button", name="Choose").click()

    await expect(approvals.settled("Jan")).to_contain_text("→ Post", timeout=SOON)

    await approvals.asks("Kim").get_by_role("button", name="Deny").click()
    await expect(approvals.settled("Kim")).to_contain_text("Denied", timeout=SOON)


async def test_without_events_the_page_looks_by_itself(chat: Chat, approvals: Approvals) -> None:
    """Where no event stream comes through, a new card still appears by itself."""
    await approvals.page.route("**/v1/events", lambda route: route.abort())
    await approvals.page.reload()
    await expect(approvals.page.locator("#pulse")).to_contain_text("every few seconds", ignore_case=True)

    await chat.send("refund 61 to Gil")

    await expect(approvals.asks("Gil")).to_be_visible(timeout=SOON)


async def test_an_unsigned_visitor_is_led_to_the_door(stack: Stack, browser: Browser) -> None:
    """The page redirects; a used link is explained and does not stay in the address bar."""
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"{stack.api}/console/approvals")
    await expect(page).to_have_url(f"{stack.api}/console/sign-in")
    await expect(page.locator("#ask")).to_contain_text("./switchboard up")

    await page.goto("about:blank")
    await page.goto(f"{stack.api}/console/sign-in#token=used-long-ago")

    await expect(page.get_by_role("heading", level=1)).to_have_text("This link does not work any more")
    assert "used-long-ago" not in page.url
    await context.close()


async def test_signing_out_ends_it(stack: Stack, browser: Browser, approvals: Approvals) -> None:
    """After Sign out the page is closed to this browser."""
    await expect(approvals.page.locator(".me")).to_contain_text("demo")

    await approvals.page.get_by_role("button", name="Sign out").click()

    await expect(approvals.page).to_have_url(re.compile("/console/sign-in$"))
    await approvals.page.goto(f"{stack.api}/console/approvals")
    await expect(approvals.page).to_have_url(re.compile("/console/sign-in$"))


async def decide(stack: Stack, approval: str, verdict: str) -> None:
    """The owner decides somewhere else, by the API."""
    await post(stack, f"/v1/approvals/{approval}/decide", {"verdict": verdict})


async def request(stack: Stack, **asked: object) -> None:
    """A program of the owner's asks for an approval."""
    await post(stack, "/v1/approvals", asked)


async def post(stack: Stack, path: str, body: Mapping[str, object]) -> None:
    """One call with the admin token."""
    async with httpx.AsyncClient(base_url=stack.api, headers={"Authorization": f"Bearer {stack.admin_token}"}) as client:
        (await client.post(path, json=body)).raise_for_status()
