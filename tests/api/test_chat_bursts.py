"""What one socket writes faster than it is stored: kept in few commits, in order, each acknowledged, each refused alone."""

import json
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.world import World

MANY = 45
COMMITS = """
select count(distinct first.xid) as n
  from (select distinct on (subject) subject, xid from events
         where tenant_id = %s and kind = 'message' and subject = any(%s) order by subject, id) first
"""


def _at(live: World) -> connect:
    return connect(f"{live.api_url.replace('http', 'ws')}/v1/chat/{live.account}")


async def _enter(socket: ClientConnection) -> None:
    await socket.send(json.dumps({"type": "hello"}))
    assert json.loads(await socket.recv())["type"] == "hello"


async def _write(socket: ClientConnection, *texts: str) -> None:
    for n, text in enumerate(texts):
        await socket.send(json.dumps({"id": f"m{n}", "text": text}))


async def _told(socket: ClientConnection, count: int) -> list[dict[str, Any]]:
    """So many acknowledgements and errors, as they come."""
    told: list[dict[str, Any]] = []
    while len(told) < count:
        frame = json.loads(await socket.recv())
        if frame["type"] in ("ack", "error"):
            told.append(frame)
    return told


async def test_a_burst_is_stored_in_order_and_in_few_commits(live: World) -> None:
    async with _at(live) as socket:
        await _enter(socket)
        await _write(socket, *(f"echo {n}" for n in range(MANY)))
        told = await _told(socket, MANY)

    assert [frame["id"] for frame in told] == [f"m{n}" for n in range(MANY)]
    ids = [frame["message_id"] for frame in told]
    stored = live.rows("select id, seq, text from messages where tenant_id = %s and id = any(%s) order by seq", ids)
    assert [(row["id"], row["text"]) for row in stored] == [(id_, f"echo {n}") for n, id_ in enumerate(ids)]
    assert [frame["seq"] for frame in told] == [row["seq"] for row in stored]
    assert live.rows(COMMITS, ids)[0]["n"] < MANY


async def test_what_the_store_refuses_is_refused_alone(live: World) -> None:
    texts = [f"echo {n}" for n in range(MANY)]
    texts[1] = texts[30] = "a \0 in it"
    async with _at(live) as socket:
        await _enter(socket)
        await _write(socket, *texts)
        told = await _told(socket, MANY)

    assert {frame["id"]: frame["type"] for frame in told} == {f"m{n}": "error" if "\0" in text else "ack" for n, text in enumerate(texts)}
    acked = [frame["message_id"] for frame in told if frame["type"] == "ack"]
    stored = live.rows("select text from messages where tenant_id = %s and id = any(%s) order by seq", acked)
    assert [row["text"] for row in stored] == [text for text in texts if "\0" not in text]
