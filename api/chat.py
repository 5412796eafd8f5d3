"""The web chat's socket: hello, messages in with an acknowledgement each, messages out by seq, and what is being written."""

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from itsdangerous import BadSignature, URLSafeSerializer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import traces
from api.chat_feed import Feed
from api.deps import hub, parts
from api.hub import ended
from api.metrics import ACCEPT_SECONDS, ACCEPTED, SOCKETS
from domain.errors import AccountDisconnected, ConnectionLimit, Invalid, NotFound, SwitchboardError
from domain.ids import new_id
from domain.messages import MAX_TEXT, Inbound
from parts import Parts
from store import accounts

router = APIRouter(tags=["web chat"])
log = structlog.get_logger()
HELLO_WITHIN = 10.0
PER_MINUTE = 600
"""Frames one socket may send in a minute before it is told to wait."""
AHEAD = 100
"""Messages of one socket that are read before they are stored; the next ones wait in the network."""
TOGETHER = 20
"""Messages stored by one commit at most."""


class Hello(BaseModel):
    """The first frame. `token` is what an earlier hello answered; `after` the last seq this client has."""

    model_config = ConfigDict(extra="ignore")

    type: str = Field(pattern="^hello$")
    token: str | None = Field(default=None, max_length=500)
    after: int = Field(default=0, ge=0)
    also: frozenset[str] = Field(default=frozenset(), max_length=10)
    """What this client is told besides answers: `inbound`, the visitor's own stored messages; `approvals`, those asked in the conversation."""


class Wrote(BaseModel):
    """A message; `id` is the client's own, so that sending it again stores it once."""

    model_config = ConfigDict(extra="ignore")

    id: str = Field(min_length=1, max_length=100)
    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")
    button: bool = False


@router.websocket("/v1/chat/{account_id}")
async def chat(socket: WebSocket, account_id: str) -> None:
    """One visitor's socket. Pages of other sites and unknown accounts are refused before it opens."""
    p, h = parts(socket), hub(socket)
    if not _is_of_our_pages(socket, p.settings.public_url):
        log.warning("chat.foreign_origin", account=account_id)
        await socket.close(4403)
        return
    tenant, state = await _open_to(p, account_id)
    if tenant is None:
        await socket.close(4404)
        return
    await socket.accept()
    if state != "connected":
        await _error(socket, AccountDisconnected.code)
        await socket.close(4409)
        return
    if h.open_chats[account_id] >= p.settings.chat_connections:
        await _error(socket, ConnectionLimit.code)
        await socket.close(4429)
        return
    h.open_chats[account_id] += 1
    SOCKETS.inc()
    try:
        await Chat(socket, tenant, account_id).run()
    except (WebSocketDisconnect, RuntimeError, TimeoutError):
        log.debug("chat.closed", account=account_id)
    finally:
        h.open_chats[account_id] -= 1
        SOCKETS.dec()


def _is_of_our_pages(socket: WebSocket, public_url: str) -> bool:
    """Whether a browser's page that opens a socket is one of ours: of the host it calls, or of the public address. Programs name no origin."""
    origin = socket.headers.get("origin")
    if origin is None:
        return True
    public = urlsplit(public_url)
    return origin == f"{public.scheme}://{public.netloc}" or origin.partition("://")[2] == socket.headers.get("host")


async def _open_to(p: Parts, account_id: str) -> tuple[str | None, str]:
    """Whose web chat this is, and its state; no tenant where it is no web chat."""
    tenant = await accounts.tenant_of(p.db, account_id)
    if tenant is None:
        return None, ""
    async with p.db.transaction(tenant) as tx:
        account = await accounts.one(tx, account_id)
    return (tenant, account.state) if account and account.channel == "webchat" else (None, "")


class Chat:
    """One open socket after it was let in."""

    def __init__(self, socket: WebSocket, tenant: str, account: str) -> None:
        self._socket, self._tenant, self._account = socket, tenant, account
        self._parts = parts(socket)
        self._signer = URLSafeSerializer(self._parts.settings.signing_key.get_secret_value(), salt=f"visitor:{account}")
        self._frames: list[float] = []

    async def run(self) -> None:
        """Greets, replays, then reads and feeds until either side goes."""
        hello = await self._hello()
        if hello is None:
            await self._socket.close(4400)
            return
        visitor = self._visitor_of(hello.token) or new_id("vis")
        await self._socket.send_json({"type": "hello", "visitor": visitor, "token": self._signer.dumps(visitor)})
        feed = Feed(self._parts, hub(self._socket), self._tenant, self._account, visitor, hello.after, hello.also, self._socket.send_json)
        written: asyncio.Queue[Wrote] = asyncio.Queue(AHEAD)
        ways = (feed.run(), self._read(written), self._accept(visitor, written, feed))
        done, others = await asyncio.wait([asyncio.create_task(way) for way in ways], return_when=asyncio.FIRST_COMPLETED)
        await ended(*others)
        for task in done:
            task.result()

    async def _hello(self) -> Hello | None:
        try:
            frame = await asyncio.wait_for(self._socket.receive_text(), HELLO_WITHIN)
            hello = Hello.model_validate_json(frame)
        except (ValidationError, KeyError, TimeoutError):
            await _error(self._socket, "hello_expected")
            return None
        if hello.token and self._visitor_of(hello.token) is None:
            await _error(self._socket, "bad_token")
        return hello

    def _visitor_of(self, token: str | None) -> str | None:
        try:
            return str(self._signer.loads(token)) if token else None
        except BadSignature:
            return None

    async def _read(self, written: asyncio.Queue[Wrote]) -> None:
        while (message := await self._socket.receive())["type"] != "websocket.disconnect":
            if not self._in_time():
                await _error(self._socket, "rate_limited", retry_after=60)
                continue
            try:
                await written.put(Wrote.model_validate_json(message.get("text") or ""))
            except ValidationError as error:
                await _error(self._socket, _code(error), id=_id_of(message.get("text")))

    async def _accept(self, visitor: str, written: asyncio.Queue[Wrote], feed: Feed) -> None:
        """Stores what was read, in order: what comes while a commit is under way is stored by the next one, all of it together."""
        while True:
            batch = [await written.get()]
            while len(batch) < TOGETHER and not written.empty():
                batch.append(written.get_nowait())
            await self._store(visitor, batch, feed)

    async def _store(self, visitor: str, batch: list[Wrote], feed: Feed) -> None:
        began = time.perf_counter()
        try:
            with traces.span("WS /v1/chat/{account_id}", "server"):
                stored = await self._parts.inbox.accept_all([self._inbound(visitor, wrote) for wrote in batch])
        except Invalid as error:
            await self._store_apart(visitor, batch, feed, error)
            return
        except SwitchboardError as error:
            await self._refuse(batch, "gone" if isinstance(error, NotFound) else error.code)
            return
        ACCEPT_SECONDS.observe(time.perf_counter() - began)
        for wrote, accepted in zip(batch, stored, strict=True):
            ACCEPTED.labels("webchat", accepted.duplicate).inc()
            ack = {"type": "ack", "id": wrote.id, "message_id": accepted.message_id, "seq": accepted.seq, "duplicate": accepted.duplicate}
            await self._socket.send_json(ack)
        feed.follow(stored[0].conversation_id)

    async def _store_apart(self, visitor: str, batch: list[Wrote], feed: Feed, error: Invalid) -> None:
        """One message that the store does not take is refused alone."""
        if len(batch) == 1:
            await self._refuse(batch, error.code)
            return
        for wrote in batch:
            await self._store(visitor, [wrote], feed)

    async def _refuse(self, batch: list[Wrote], code: str) -> None:
        for wrote in batch:
            await _error(self._socket, code, id=wrote.id)

    def _inbound(self, visitor: str, wrote: Wrote) -> Inbound:
        return Inbound(
            tenant_id=self._tenant, account_id=self._account, chat=visitor, sender=visitor, text=wrote.text,
            external_id=json.dumps(["message", visitor, wrote.id], ensure_ascii=False), at_once=wrote.button,
        )  # fmt: skip

    def _in_time(self) -> bool:
        now = time.monotonic()
        self._frames = [at for at in self._frames[-PER_MINUTE:] if now - at < 60]
        self._frames.append(now)
        return len(self._frames) <= PER_MINUTE


def _code(error: ValidationError) -> str:
    return "too_long" if any(fault["type"] == "string_too_long" for fault in error.errors()) else Invalid.code


def _id_of(text: str | None) -> str | None:
    try:
        return str(json.loads(text or "")["id"])[:100].encode("utf-8", "replace").decode()
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


async def _error(socket: WebSocket, code: str, **more: Any) -> None:
    await socket.send_json({"type": "error", "code": code} | {name: value for name, value in more.items() if value is not None})
