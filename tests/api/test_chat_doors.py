"""Which web chats a socket may be opened to."""

import json

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.api.conftest import Hook
from tests.world import World


def _at(live: World, account: str) -> connect:
    return connect(f"{live.api_url.replace('http', 'ws')}/v1/chat/{account}")


async def test_only_a_web_chat_is_one(hook: Hook, live: World) -> None:
    for account in ("acc_none", hook.account["id"]):
        with pytest.raises(InvalidStatus):
            await _at(live, account)


async def test_a_disconnected_account_says_so_and_closes(live: World) -> None:
    await live.api.post(f"/v1/accounts/{live.account}/disconnect")
    async with _at(live, live.account) as refused:
        assert json.loads(await refused.recv()) == {"type": "error", "code": "account_disconnected"}
        with pytest.raises(ConnectionClosed):
            await refused.recv()

    await live.api.post(f"/v1/accounts/{live.account}/connect")
    async with _at(live, live.account) as taken:
        assert await _hello(taken) == "hello"


async def _hello(socket: ClientConnection) -> str:
    await socket.send(json.dumps({"type": "hello"}))
    return str(json.loads(await socket.recv())["type"])
