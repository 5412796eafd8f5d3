"""Somebody who writes through another program: it calls again until it is answered, and takes what we send it."""

import asyncio
import itertools
import json
import time
from datetime import UTC, datetime

import httpx
from standardwebhooks import Webhook

from tests.crash.stack import PATIENCE, Stack
from tests.journeys.receiver import SECRET, Receiver

_names = itertools.count(1)


class Caller:
    """Writes over the wire to one account, whose program drops what it has seen already where it `recognises` repeats."""

    def __init__(self, stack: Stack, account: str, receiver: Receiver, *, recognises: bool) -> None:
        self._stack, self._account, self._receiver, self._recognises = stack, account, receiver, recognises
        self.name = f"w{next(_names)}"
        self._count = itertools.count(1)
        self._written: list[asyncio.Task[str]] = []

    @property
    def texts(self) -> list[tuple[str, str]]:
        """What this person was shown, in order: message id and text."""
        came = [(call["message_id"], call["text"]) for call in self._receiver.calls if call["chat"] == self.name]
        return list(dict.fromkeys(came)) if self._recognises else came

    @property
    def heard(self) -> set[str]:
        """The messages that this person was shown."""
        return {message for message, _ in self.texts}

    async def write(self, text: str) -> None:
        """Writes a message, behind those before it; returns at once."""
        event = {"type": "message", "id": f"{self.name}-{next(self._count)}", "chat": self.name, "text": text}
        self._written.append(asyncio.create_task(self._post(event, self._written[-1] if self._written else None)))

    async def all_accepted(self) -> list[str]:
        """Waits until all that was written has been taken. Returns the messages' ids; the key of one that is not there is no id."""
        keys = await asyncio.gather(*self._written)
        rows = await asyncio.to_thread(self._stack.rows, "select id, external_id from messages where external_id = any(%s)", keys)
        ids = {row["external_id"]: row["id"] for row in rows}
        return [ids.get(key, key) for key in keys]

    async def stop(self) -> None:
        """Leaves."""
        for task in self._written:
            task.cancel()
        await asyncio.gather(*self._written, return_exceptions=True)

    async def _post(self, event: dict[str, str], before: "asyncio.Task[str] | None") -> str:
        if before:
            await asyncio.wait({before})
        body, ends = json.dumps(event), time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            now = datetime.now(UTC)
            signed = {
                "webhook-id": event["id"], "webhook-timestamp": str(int(now.timestamp())), "content-type": "application/json",
                "webhook-signature": Webhook(SECRET).sign(event["id"], now, body),
            }  # fmt: skip
            try:
                async with httpx.AsyncClient(base_url=self._stack.told["api"], timeout=10) as client:
                    answer = await client.post(f"/webhooks/wire/{self._account}", content=body, headers=signed)
                if answer.status_code == 200:
                    return json.dumps(["message", event["chat"], event["id"]])
                assert answer.status_code == 503, answer.text
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.2)
        raise AssertionError("the program was never answered")
