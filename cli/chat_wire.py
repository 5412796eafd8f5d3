"""The web chat's socket as a visitor holds it: opened again when it breaks, and what was not acknowledged sent again."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from cli.place import Place, nothing_answers
from cli.visitors import Visitor
from domain import errors
from domain.errors import NotFound, Refused, SwitchboardError, Unavailable

Frame = Mapping[str, Any]
OPEN_WITHIN = 5.0
ACK_WITHIN = 8.0
"""Seconds after which an unacknowledged message makes us open another socket and send it again."""
FIRST_DELAY, LONGEST_DELAY, GROWTH = 0.5, 8.0, 1.8
NO_CHAT = (403, 404)
OF_OUR_OWN = {"hello_expected": "The server did not understand the greeting.", "too_long": "This is too long; send it in parts of 16,000 characters."}


class Wire:
    """One visitor's way to a web chat. `unsent` holds texts without an acknowledgement, by the ids we gave them."""

    def __init__(self, place: Place, account: str, visitor: Visitor) -> None:
        self._place, self._account, self._visitor = place, account, visitor
        self._socket: ClientConnection | None = None
        self.unsent: dict[str, str] = {}

    async def frames(self, *, again: int = 0) -> AsyncGenerator[Frame, None]:
        """Everything the server says, for ever, with the last `again` messages repeated; between two sockets `away`, with seconds.

        Raises NotFound where there is no such chat, Refused where it is full, Unavailable where nothing ever answered.
        """
        self._visitor.after = max(0, self._visitor.after - again)
        delay, opened = FIRST_DELAY, False
        while True:
            try:
                async with connect(self._url, open_timeout=OPEN_WITHIN, max_size=None, proxy=None if self._place.near else True) as socket:
                    async for frame in self._read(socket):
                        opened, delay = True, FIRST_DELAY
                        yield frame
            except InvalidStatus as error:
                if error.response.status_code in NO_CHAT:
                    raise NotFound(f"There is no web chat {self._account} at {self._place.api}.") from error
            except (OSError, TimeoutError, WebSocketException) as error:
                if not opened:
                    raise Unavailable(nothing_answers(self._place)) from error
            finally:
                self._socket = None
            yield {"type": "away", "seconds": delay}
            await asyncio.sleep(delay)
            delay = min(delay * GROWTH, LONGEST_DELAY)

    async def send(self, text: str) -> str:
        """Sends a message, now or as soon as a socket is open, and returns the id it has with us."""
        id_ = secrets.token_hex(8)
        self.unsent[id_] = text
        await self._post(id_, text)
        return id_

    @property
    def _url(self) -> str:
        return f"{self._place.api.replace('http', 'ws', 1)}/v1/chat/{self._account}"

    async def _read(self, socket: ClientConnection) -> AsyncIterator[Frame]:
        hello = {"type": "hello", "also": ["inbound", "approvals"], "after": self._visitor.after}
        hello |= {"token": self._visitor.token} if self._visitor.token else {}
        await socket.send(json.dumps(hello))
        with contextlib.suppress(ConnectionClosed):
            async for text in socket:
                frame: Frame = json.loads(text)
                await self._heed(socket, frame)
                yield frame

    async def _heed(self, socket: ClientConnection, frame: Frame) -> None:
        match frame["type"]:
            case "hello":
                self._socket = socket
                if self._visitor.token != frame["token"]:
                    self._visitor.token = frame["token"]
                    self._visitor.keep()
                for id_, text in list(self.unsent.items()):
                    await self._post(id_, text)
            case "ack":
                self.unsent.pop(frame["id"], None)
            case "message":
                self._visitor.after = max(self._visitor.after, frame["seq"])
                self.unsent.pop(frame.get("id", ""), None)
            case "error" if frame["code"] == "connection_limit":
                raise Refused(sentence("connection_limit"))
            case "error" if frame["code"] == "bad_token":
                self._visitor.forget()
                socket.transport.abort()  # so that the next hello asks for everything that the new visitor is told
            case "error" if frame.get("id"):
                self.unsent.pop(frame["id"], None)

    async def _post(self, id_: str, text: str) -> None:
        if (socket := self._socket) is None:
            return
        with contextlib.suppress(ConnectionClosed):
            await socket.send(json.dumps({"id": id_, "text": text}))
            asyncio.get_running_loop().call_later(ACK_WITHIN, self._doubt, socket, id_)

    def _doubt(self, socket: ClientConnection, id_: str) -> None:
        """A socket that takes messages without acknowledging them is as good as closed."""
        if id_ in self.unsent and socket is self._socket:
            socket.transport.abort()


def sentence(code: str) -> str:
    """What the code of an error frame means to a person."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, SwitchboardError)]
    known = {kind.code: (kind.__doc__ or "").strip() for kind in kinds}
    return OF_OUR_OWN.get(code) or known.get(code) or f"The server said: {code}."
