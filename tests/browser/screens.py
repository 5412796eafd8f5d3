"""The two pages as the tests speak of them."""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Locator, Page, WebSocketRoute, expect

SOON = 60_000
"""Milliseconds in which an answer comes on a busy machine."""


@dataclass
class Chat:
    """The web chat of one visitor."""

    page: Page

    async def send(self, text: str) -> None:
        """Writes and presses Enter."""
        await self.page.fill("#text", text)
        await self.page.press("#text", "Enter")

    def own(self, text: str) -> Locator:
        """The rows of what the person wrote, with exactly this text."""
        return self.page.locator(".own").filter(has=self.page.locator("[data-part=text]", has_text=exactly(text)))

    def said(self, text: str | re.Pattern[str]) -> Locator:
        """The finished rows of what the agent said."""
        return self.page.locator("#rows > .theirs [data-part=text]", has_text=exactly(text) if isinstance(text, str) else text)

    async def hears(self, text: str | re.Pattern[str]) -> None:
        """The agent says this, once."""
        await expect(self.said(text)).to_have_count(1, timeout=SOON)

    async def stored(self, text: str) -> None:
        """The person's message is shown as stored, once."""
        await expect(self.own(text)).to_have_count(1)
        await expect(self.own(text)).to_have_attribute("data-state", "stored", timeout=SOON)

    async def connected(self) -> None:
        """The socket is open and said hello."""
        await expect(self.page.locator("body")).to_have_attribute("data-connection", "open", timeout=SOON)

    @property
    def card(self) -> Locator:
        """The approvals shown in the conversation."""
        return self.page.locator(".slip")


@dataclass
class Approvals:
    """The approvals page of a member who is signed in."""

    page: Page

    def asks(self, to: str) -> Locator:
        """The card that asks for a refund to somebody."""
        return self.page.locator(".ask").filter(has=self.page.locator("dd", has_text=exactly(to)))

    def settled(self, to: str) -> Locator:
        """The line of a decided refund to somebody."""
        return self.page.locator(".settled").filter(has_text=f"to {to}")


@dataclass
class Wire:
    """A page's socket, led through the test: frames can be added, held back and counted."""

    sockets: list[WebSocketRoute] = field(default_factory=list)
    sent: list[dict[str, Any]] = field(default_factory=list)
    came: list[dict[str, Any]] = field(default_factory=list)
    passes: Callable[[dict[str, Any]], bool] = lambda frame: True
    is_cut: bool = False

    async def lead(self, page: Page) -> None:
        """From now on the page's chat sockets go through here."""
        await page.route_web_socket(re.compile("/v1/chat/"), self._route)

    def inject(self, **frame: Any) -> None:
        """The page hears a frame as if the server had sent it."""
        self.sockets[-1].send(json.dumps(frame))

    async def id_of(self, text: str) -> str:
        """The client's id of a message, once it was sent."""
        while not (ids := [frame["id"] for frame in self.sent if frame.get("text") == text]):
            await asyncio.sleep(0.02)
        return str(ids[0])

    async def drop(self) -> None:
        """The socket closes as when a server goes away."""
        await self.sockets[-1].close(code=1012, reason="")

    async def _route(self, socket: WebSocketRoute) -> None:
        if self.is_cut:
            await socket.close(code=1012, reason="")
            return
        self.sockets.append(socket)
        server = socket.connect_to_server()

        def up(text: str | bytes) -> None:
            self.sent.append(json.loads(text))
            server.send(text)

        def down(text: str | bytes) -> None:
            frame = json.loads(text)
            self.came.append(frame)
            if self.passes(frame):
                socket.send(text)

        socket.on_message(up)
        server.on_message(down)


def exactly(text: str) -> re.Pattern[str]:
    """A pattern that is met by this text and nothing around it."""
    return re.compile(rf"^\s*{re.escape(text)}\s*$")
