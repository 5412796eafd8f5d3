"""A thousand malformed frames and what else a socket can be plagued with: each is told what is wrong, and all others are served."""

import asyncio
import base64
import json
import os
import random
import socket
import struct
import time
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.attack.malformed import malformed
from tests.attack.sockets import PATIENCE, Visitor, heard, served_beside, url, visitor
from tests.attack.target import Target

FRAMES, SOCKETS, HELLOS = 1000, 4, 150
LARGEST = 262_144
OPEN_CHATS = "/v1/connections"
WRITTEN = "select m.text from messages m join conversations c on c.id = m.conversation_id where c.chat = %s and m.direction = 'inbound'"


def _frame(dice: random.Random) -> str | bytes:
    """Text where it is text, and binary now and then."""
    body = malformed(dice)
    if dice.random() < 0.2:
        return body
    return body.decode("utf-8", "replace") if b'"text"' not in body or dice.random() < 0.5 else body.decode("latin-1")


def _is_wrong(frame: str | bytes) -> bool:
    """Replacing what is no UTF-8 may leave a frame that is right."""
    if isinstance(frame, bytes):
        return True
    try:
        text = json.loads(frame)["text"]
        return not isinstance(text, str) or len(text.encode().decode()) > 16_000 or "\x00" in text
    except (ValueError, RecursionError, KeyError, TypeError):
        return True


async def _plague(attacker: Visitor, frames: list[str | bytes]) -> Counter[str]:
    """Sends each frame and waits for its error, or for the acknowledgement where it was none."""
    codes: Counter[str] = Counter()
    for frame in frames:
        await attacker.wire.send(frame)
        codes[(await attacker.heard("error"))["code"]] += 1
    return codes


async def test_malformed_frames_are_told_what_is_wrong_and_the_socket_stays(target: Target, dice: random.Random, examples: int) -> None:
    frames = [frame for frame in (_frame(dice) for _ in range(2 * FRAMES * examples)) if _is_wrong(frame)][: FRAMES * examples]
    assert len(frames) == FRAMES * examples
    at_once = max(SOCKETS, len(frames) // 250)
    async with served_beside(target):
        for n in range(at_once):
            async with visitor(target) as attacker:
                codes = await _plague(attacker, frames[n::at_once])
                await attacker.asks("still here")

            assert set(codes) == {"invalid", "too_long"}, codes
            assert [row["text"] for row in target.rows(WRITTEN, attacker.name)] == ["echo still here"]


@pytest.mark.parametrize("size", [LARGEST + 1, 4 * LARGEST])
async def test_a_frame_that_is_too_large_ends_its_own_socket_only(target: Target, size: int) -> None:
    async with served_beside(target), visitor(target) as attacker:
        await attacker.wire.send("x" * size)
        with pytest.raises(ConnectionClosed) as closed:
            await attacker.heard("ack")

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009


async def test_what_is_no_hello_is_told_so_and_closed(target: Target, dice: random.Random) -> None:
    frames: list[str | bytes] = [_frame(dice) for _ in range(HELLOS)]
    frames += ['{"id": "1", "text": "before hello"}', '{"type": "bye"}', '{"type": "hello", "after": -1}', '{"type": "hello", "token": 5}']
    async with served_beside(target):
        for frame in frames:
            async with connect(url(target), max_size=None, open_timeout=PATIENCE) as wire:
                await wire.send(frame)
                assert (await heard(wire, "error"))["code"] == "hello_expected"
                with pytest.raises(ConnectionClosed) as closed:
                    await heard(wire, "hello")
                assert closed.value.rcvd is not None
                assert closed.value.rcvd.code == 4400

    assert target.rows("select 1 from messages where text = 'before hello'") == []


async def test_a_token_that_is_not_ones_own_opens_nobodys_chat(target: Target) -> None:
    with target.api as client:
        other = client.post("/v1/accounts", json={"channel": "webchat", "name": f"other {os.urandom(4).hex()}", "admission": "open"}).json()["id"]
    async with visitor(target) as victim:
        await victim.asks("a secret")
    head, _, signature = victim.token.rpartition(".")
    forged = {
        "another account's": (victim.token, other), "another signature": (f"{head}.{signature[::-1]}", ""), "no signature": (head, ""),
        "the name alone": (victim.name, ""), "another name": (victim.token.replace(head[:-3], "abcdefgh"), ""), "NUL": ("\x00", ""),
        "dots": ("...", ""),
    }  # fmt: skip

    for kind, (token, account) in forged.items():
        async with connect(url(target, account), open_timeout=PATIENCE) as wire:
            await wire.send(json.dumps({"type": "hello", "token": token, "also": ["inbound", "approvals"]}))
            assert (await heard(wire, "error"))["code"] == "bad_token", kind
            hello = await heard(wire, "hello")
            attacker = Visitor(wire, hello)
            assert attacker.name != victim.name
            if not account:
                await attacker.writes("mine")
                assert (await attacker.heard("message"))["text"] == "mine"

    async with visitor(target, token=victim.token, after=0) as returned:
        assert returned.name == victim.name
        assert (await returned.heard("message"))["text"] == "a secret"


async def test_the_id_of_somebody_elses_message_is_no_duplicate(target: Target) -> None:
    async with visitor(target) as first, visitor(target) as second:
        for one in (first, second):
            await one.wire.send(json.dumps({"id": "the same", "text": "echo mine"}))
        acks = [await one.heard("ack") for one in (first, second)]

    assert [ack["duplicate"] for ack in acks] == [False, False]
    assert len({ack["message_id"] for ack in acks}) == 2


async def test_a_flood_is_slowed_and_nobody_else_is(target: Target) -> None:
    async with served_beside(target), visitor(target) as attacker:
        await asyncio.gather(*(attacker.wire.send("{}") for _ in range(800)))
        codes = Counter([(await attacker.heard("error"))["code"] for _ in range(800)])

    assert codes["rate_limited"] >= 200
    assert set(codes) == {"invalid", "rate_limited"}


async def test_sockets_that_break_off_leave_nothing_open(target: Target) -> None:
    async with served_beside(target):
        for n in range(120):
            await asyncio.to_thread(_break_off, target, n)
    ends = time.monotonic() + PATIENCE
    while (left := _open_chats(target)) and time.monotonic() < ends:
        await asyncio.sleep(0.1)

    assert left == 0


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "https://evil.example:8080", "http://127.0.0.1:1", "file://", "http://"])
async def test_a_page_of_another_site_opens_no_chat(target: Target, origin: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(url(target), origin=origin, open_timeout=PATIENCE):  # type: ignore[arg-type]
            pass

    assert refused.value.response.status_code == 403


async def test_our_own_page_and_programs_open_one(target: Target) -> None:
    for given in ({"origin": target.told["api"]}, {}):
        async with connect(url(target), open_timeout=PATIENCE, **given) as wire:
            await wire.send('{"type": "hello"}')
            assert (await heard(wire, "hello"))["visitor"]


def test_frames_are_not_kept_in_memory(target: Target) -> None:
    """200 MB of frames that are refused."""

    async def storm(times: int) -> int:
        frames: list[str | bytes] = ["x" * (LARGEST - 10)] * times
        for begin in range(0, times, 200):
            async with visitor(target) as attacker:
                await _plague(attacker, frames[begin : begin + 200])
        return target.memory()

    warm = asyncio.run(storm(200))

    assert asyncio.run(storm(800)) - warm < 100_000_000


def _open_chats(target: Target) -> int:
    with target.api as client:
        return sum(one["open_chats"] for one in client.get(OPEN_CHATS).json()["items"])


def _break_off(target: Target, n: int) -> None:
    """Shakes hands, or half of it; says half a frame, or a frame that is none; then resets the connection."""
    at = urlsplit(target.told["api"])
    key = base64.b64encode(os.urandom(16)).decode()
    upgrade = f"GET /v1/chat/{target.account} HTTP/1.1\r\nHost: {at.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    upgrade += f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    half: list[Any] = [upgrade[: len(upgrade) // 2].encode(), b"", b"\x81", b"\x81\xfe\xff\xff" + b"a" * 50, b"\xff" * 4, b"\x01\x85abcdhello"]
    with socket.create_connection((at.hostname, at.port), timeout=PATIENCE) as wire:
        kind = n % len(half)
        if kind:
            wire.sendall(upgrade.encode())
            assert b" 101 " in wire.recv(4096)
        wire.sendall(half[kind])
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
