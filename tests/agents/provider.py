"""A stand-in for a model provider: speaks Anthropic's Messages and OpenAI's chat completions over HTTP, streamed."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

TOKENS_IN, TOKENS_OUT = 25, 7


@dataclass(frozen=True)
class Says:
    """After so many seconds, text in pieces, then tool calls; `cut` breaks the connection off midway, `early` ends it there as if that were all."""

    pieces: tuple[str, ...] = ()
    calls: tuple[tuple[str, str], ...] = ()
    cut: bool = False
    early: bool = False
    stop: str = ""
    after: float = 0.0


@dataclass(frozen=True)
class Fails:
    """An error response."""

    status: int
    kind: str = "api_error"
    message: str = "no"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Hangs:
    """No response at all, until the client gives up."""


Act = Says | Fails | Hangs


@dataclass
class Seen:
    """A request as it reached the wire."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]

    def system(self) -> str:
        """All that this request says as the system."""
        if "system" in self.body:
            system = self.body["system"]
            return system if isinstance(system, str) else "\n\n".join(block["text"] for block in system)
        return "\n\n".join(m["content"] for m in self.body["messages"] if m["role"] in ("system", "developer"))

    def rest(self) -> list[dict[str, Any]]:
        """The messages that are not the system's."""
        return [m for m in self.body["messages"] if m["role"] not in ("system", "developer")]


@dataclass
class Provider:
    """What it does next, and what it saw. The last act is repeated."""

    port: int
    acts: list[Act] = field(default_factory=lambda: [Says(("Hello",))])
    seen: list[Seen] = field(default_factory=list)

    def does(self, *acts: Act) -> None:
        """From now on, do this."""
        self.acts = list(acts)
        self.seen.clear()

    def address(self, provider: str) -> str:
        """The base address for a client of one kind."""
        return f"http://127.0.0.1:{self.port}" + ("" if provider == "anthropic" else "/v1")

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            seen = await _request(reader)
            self.seen.append(seen)
            act = self.acts.pop(0) if len(self.acts) > 1 else self.acts[0]
            if isinstance(act, Hangs):
                await reader.read()
            else:
                await _respond(act, seen, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def provider() -> AsyncIterator[Provider]:
    """A provider that listens on a port of the system's choice."""
    standing: list[Provider] = []
    server = await asyncio.start_server(lambda reader, writer: standing[0].answer(reader, writer), "127.0.0.1", 0)
    standing.append(Provider(port=server.sockets[0].getsockname()[1]))
    try:
        yield standing[0]
    finally:
        server.close()


async def _request(reader: asyncio.StreamReader) -> Seen:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Seen(head[0].split()[1].split("?")[0], headers, json.loads(body))


async def _respond(act: Says | Fails, seen: Seen, writer: asyncio.StreamWriter) -> None:
    match act:
        case Fails():
            body = json.dumps(_error(act, seen)).encode()
            extra = {"content-type": "application/json", "content-length": str(len(body)), **act.headers}
            await _write(writer, _head(act.status, extra) + body)
        case Says():
            await asyncio.sleep(act.after)
            await _write(writer, _head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"}))
            for event in (_anthropic if seen.path.endswith("/messages") else _openai)(act, seen):
                data = event.encode()
                await _write(writer, f"{len(data):x}\r\n".encode() + data + b"\r\n")
            await _write(writer, b"" if act.cut else b"0\r\n\r\n")


async def _write(writer: asyncio.StreamWriter, data: bytes) -> None:
    writer.write(data)
    await writer.drain()
    await asyncio.sleep(0)


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} X", "connection: close", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _error(act: Fails, seen: Seen) -> dict[str, Any]:
    told = {"type": act.kind, "message": act.message}
    if seen.path.endswith("/messages"):
        return {"type": "error", "error": told}
    return {"error": told | {"code": act.code, "param": None}}


def _anthropic(act: Says, seen: Seen) -> Iterator[str]:
    def event(kind: str, **more: Any) -> str:
        return f"event: {kind}\ndata: {json.dumps({'type': kind, **more})}\n\n"

    start = {"id": "m", "type": "message", "role": "assistant", "content": [], "model": seen.body["model"], "stop_reason": None}
    usage = {"input_tokens": TOKENS_IN, "output_tokens": 1}
    yield event("message_start", message={**start, "stop_sequence": None, "usage": usage})
    index = 0
    if act.pieces:
        yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
        yield event("ping")
        for piece in act.pieces:
            yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
        if act.cut or act.early:
            return
        yield event("content_block_stop", index=0)
        index = 1
    for n, (name, arguments) in enumerate(act.calls):
        block = {"type": "tool_use", "id": f"toolu_{n}", "name": name, "input": {}}
        yield event("content_block_start", index=index + n, content_block=block)
        for part in (arguments[:5], arguments[5:]):
            yield event("content_block_delta", index=index + n, delta={"type": "input_json_delta", "partial_json": part})
        yield event("content_block_stop", index=index + n)
    reason = act.stop or ("tool_use" if act.calls else "end_turn")
    yield event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage={"output_tokens": TOKENS_OUT})
    yield event("message_stop")


def _openai(act: Says, seen: Seen) -> Iterator[str]:
    def chunk(delta: dict[str, Any] | None, finish: str | None = None, usage: Any = None) -> str:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        body = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": seen.body["model"], "choices": choices}
        return f"data: {json.dumps(body | {'usage': usage})}\n\n"

    yield chunk({"role": "assistant", "content": ""})
    for piece in act.pieces:
        yield chunk({"content": piece})
    if act.cut or act.early:
        return
    for n, (name, arguments) in enumerate(act.calls):
        call = {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": name, "arguments": arguments[:5]}}
        yield chunk({"tool_calls": [call]})
        yield chunk({"tool_calls": [{"index": n, "function": {"arguments": arguments[5:]}}]})
    yield chunk({}, act.stop or ("tool_calls" if act.calls else "stop"))
    used = {"prompt_tokens": TOKENS_IN, "completion_tokens": TOKENS_OUT, "total_tokens": TOKENS_IN + TOKENS_OUT}
    yield chunk(None, usage=used)
    yield "data: [DONE]\n\n"
