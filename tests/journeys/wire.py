"""A tenant with an account of the channel `webhook`, and the program at its other end."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import httpx
from standardwebhooks import Webhook

from tests.journeys.receiver import SECRET, Receiver
from tests.world import World


class Wired:
    """The tenant, its account on the wire, and the receiver behind it."""

    def __init__(self, world: World, receiver: Receiver, account: str) -> None:
        self.world, self.receiver, self.account = world, receiver, account

    async def post(
        self, body: bytes, *, secret: str = SECRET, at: datetime | None = None, instead: Mapping[str, str] = MappingProxyType({})
    ) -> httpx.Response:
        """Calls us as a program does, signed with a secret; `instead` are headers that replace the right ones."""
        at, id_ = at or datetime.now(UTC), "evt_1"
        signed = {
            "webhook-id": id_, "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(id_, at, body.decode("utf-8", "replace")), "content-type": "application/json",
        }  # fmt: skip
        async with httpx.AsyncClient(base_url=self.world.api_url) as client:
            return await client.post(f"/webhooks/webhook/{self.account}", content=body, headers=signed | dict(instead))

    async def write(self, text: str, id_: str = "", chat: str = "caller", **more: Any) -> httpx.Response:
        """Someone writes to the program, which tells us."""
        event = {"type": "message", "id": id_ or text, "chat": chat, "text": text, **more}
        return await self.post(json.dumps(event).encode())

    async def outbound(self, words: str, *states: str) -> dict[str, Any]:
        """The message with these words on its way out, once it is in one of these states."""
        query = "select * from messages where tenant_id = %s and direction = 'outbound' and text like %s and state = any(%s)"
        return await self.world.until(query, f"%{words}%", list(states))

    def states(self) -> list[tuple[str, str]]:
        """What goes out on the wire, in order: words and state."""
        query = "select text, state from messages where tenant_id = %s and direction = 'outbound' and account_id = %s order by seq"
        return [(row["text"], row["state"]) for row in self.world.rows(query, self.account)]


async def wired(world: World, receiver: Receiver, **settings: Any) -> Wired:
    """Adds the account and binds the demo agent to it."""
    given = {"deliver_url": receiver.url, **settings}
    asked = {"name": "program", "channel": "webhook", "admission": "open", "settings": given, "secrets": {"secret": SECRET}}
    answer = await world.api.post("/v1/accounts", json=asked)
    assert answer.status_code == 201, answer.text
    bound = await world.api.post("/v1/bindings", json={"account": "program", "agent": "demo"})
    assert bound.status_code == 201, bound.text
    return Wired(world, receiver, answer.json()["id"])


def old() -> datetime:
    """A time too long ago for a signature."""
    return datetime.now(UTC) - timedelta(minutes=6)
