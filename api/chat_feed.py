"""What a web chat socket is told: everything stored after its seq, in order, and what is being written now."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from api.hub import Hub, either
from domain.errors import StoreUnavailable
from parts import Parts
from store import messages
from store.notices import inbound_of

Send = Callable[[dict[str, Any]], Awaitable[None]]
BATCH = 200


class Feed:
    """One socket's reading position. Rows decide; hints only make it quick, and a poll mends what they miss."""

    def __init__(self, parts: Parts, hub: Hub, tenant: str, account: str, visitor: str, after: int, also: frozenset[str], send: Send) -> None:
        self._parts, self._hub, self._tenant, self._account, self._visitor = parts, hub, tenant, account, visitor
        self._after, self._also, self._send = after, also, send
        self._conversation: str | None = None
        self._draft = ("", "")
        self._approvals: dict[str, str] = {}
        self._poke: Callable[[], None] = lambda: None
        self._watch: Callable[[str], None] = lambda _: None

    def follow(self, conversation: str) -> None:
        """The conversation exists: from the first time on, look and hear of its changes."""
        if self._conversation is None:
            self._conversation = conversation
            self._watch(conversation)
            self._poke()

    async def run(self) -> None:
        """Feeds for ever; while Postgres is away it waits."""
        with self._hub.waiting() as event:
            self._poke = event.set
            self._watch = lambda conversation: self._hub.add(event, *self._subjects(conversation))
            if self._conversation:
                self._watch(self._conversation)
            while True:
                try:
                    await self._look()
                except StoreUnavailable:
                    self._draft = ("", "")
                await either(event, self._parts.settings.chat_poll)

    def _subjects(self, conversation: str) -> tuple[str, ...]:
        return (conversation, inbound_of(conversation)) if "inbound" in self._also else (conversation,)

    async def _look(self) -> None:
        while True:
            async with self._parts.db.transaction(self._tenant) as tx:
                if self._conversation is None:
                    found = await tx.row("conversations/of_chat", dict, account=self._account, chat=self._visitor)
                    if found is None:
                        return
                    self.follow(found["id"])
                assert self._conversation is not None
                rows = await messages.for_chat(tx, self._conversation, self._after, BATCH)
                draft = await messages.draft(tx, self._conversation)
                asked = "approvals" in self._also
                approvals = await tx.rows("approvals/for_chat", dict, conversation=self._conversation) if asked else []
            for row in rows:
                await self._tell(row)
            await self._tell_approvals(approvals)
            await self._tell_draft(draft, {row["id"] for row in rows})
            if len(rows) < BATCH:
                return

    async def _tell(self, row: Any) -> None:
        self._after = row["seq"]
        if row["kind"] != "text" or not row["text"] or (row["direction"] == "inbound" and "inbound" not in self._also):
            return
        frame = {"type": "message", "message_id": row["id"], "seq": row["seq"], "text": row["text"], "direction": row["direction"],
                 "state": row["state"], "at": row["accepted_at"].isoformat()}  # fmt: skip
        if row["direction"] == "inbound" and row["external_id"]:
            frame["id"] = json.loads(row["external_id"])[-1]
        if buttons := (row["payload"] or {}).get("buttons"):
            frame["buttons"] = buttons
        if row["answers"]:
            frame["answers"] = row["answers"]
        if row["resend_of"]:
            frame["resend_of"] = row["resend_of"]
        await self._send(frame)

    async def _tell_approvals(self, rows: list[dict[str, Any]]) -> None:
        for row in reversed(rows):
            if self._approvals.get(row["id"]) == row["state"]:
                continue
            self._approvals[row["id"]] = row["state"]
            await self._send({
                "type": "approval", "approval_id": row["id"], "kind": row["kind"], "action": row["action"], "arguments": row["arguments"],
                "state": row["state"], "verdict": row["verdict"], "deadline_at": row["deadline_at"].isoformat(), "comment": row["comment"],
                "asked": row["asked"],
            })  # fmt: skip

    async def _tell_draft(self, draft: messages.Drafted | None, stored: set[str]) -> None:
        now = (draft.message_id, draft.text) if draft and draft.message_id not in stored else ("", "")
        before, self._draft = self._draft, now
        if now == before or not now[0]:
            return
        if not now[1]:
            await self._send({"type": "typing"})
        elif now[0] == before[0] and now[1].startswith(before[1]):
            await self._send({"type": "delta", "message_id": now[0], "text": now[1][len(before[1]) :]})
        else:
            await self._send({"type": "delta", "message_id": now[0], "text": now[1], "reset": True})
