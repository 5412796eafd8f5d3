"""`chat`: a web chat in the terminal, as any visitor has it."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, suppress
from typing import Annotated

import typer
from rich.text import Text

from cli.chat_terminal import Talk
from cli.chat_wire import Frame, Wire, sentence
from cli.client import Api, speaking
from cli.output import err, out
from cli.spans import in_words, seconds
from cli.tables import as_json, clean
from cli.visitors import visitor
from domain.errors import Invalid, NotFound, Refused, Unavailable

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
USUAL = "web"
"""The name of the account that is meant where there are several and none is named."""


@app.command()
@speaking
def chat(
    api: Api, account: Annotated[str, typer.Argument(metavar="[ACCOUNT]", help="A web chat, by name or id; else `web` or the only one.")] = "",
    once: Annotated[str, typer.Option("--once", metavar="TEXT", help="Send this, print the answer and exit.")] = "",
    timeout: Annotated[float, typer.Option(parser=seconds, metavar="SPAN", help="How long to wait for an answer.", show_default="60s")] = 60.0,
    new: Annotated[bool, typer.Option("--new", help="Begin anew, as somebody who never wrote here.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="With --once: print the answer as the socket gave it.")] = False,
) -> None:  # fmt: skip
    """Talk to an agent from here. The conversation goes on where it stopped; lines on standard input are sent one by one."""
    known = visitor(api.place, _account(api, account))
    if new:
        known.forget()
    wire = Wire(api.place, known.name.split()[0], known)
    try:
        if once or not sys.stdin.isatty():
            asyncio.run(_exchange(wire, [once] if once else None, timeout, json_))
        else:
            with suppress(KeyboardInterrupt):
                asyncio.run(Talk(wire, out).run())
    finally:
        known.keep()


def _account(api: Api, given: str) -> str:
    """The id of the account that is meant. Raises NotFound, or Invalid where it is not clear."""
    if given.startswith("acc_"):
        return given
    chats = {one["name"]: one["id"] for one in api.get("/v1/accounts", limit=200)["items"] if one["channel"] == "webchat"}
    names = ", ".join(sorted(chats))
    if given and given not in chats:
        raise NotFound(f"There is no web chat named {given}; there {f'is {names}' if len(chats) == 1 else f'are {names}'}." if chats else _NONE)
    if not chats:
        raise NotFound(_NONE)
    name = given or (next(iter(chats)) if len(chats) == 1 else USUAL)
    if name not in chats:
        raise Invalid(f"There are several web chats: {names}; say which, as in `switchboard chat {sorted(chats)[0]}`.")
    return str(chats[name])


_NONE = "There is no web chat account; `switchboard apply demo.toml` makes one."


async def _exchange(wire: Wire, texts: list[str] | None, within: float, json_: bool) -> None:
    """Sends one text after the other, each when the one before is answered, and prints the answers."""
    async with aclosing(wire.frames()) as frames:
        while (text := await _next(texts)) is not None:
            if not text.strip():
                continue
            id_ = await wire.send(text.strip())
            try:
                with err.status("Waiting for the answer …"):
                    answer = await asyncio.wait_for(_answer(frames, id_), within)
            except TimeoutError as late:
                stored = "not even stored yet" if id_ in wire.unsent else "stored and will be answered; `switchboard chat` shows it"
                raise Unavailable(f"No answer within {in_words(within)}; the message is {stored}.") from late
            as_json(answer) if json_ else out.print(Text(clean(answer["text"])))


async def _next(texts: list[str] | None) -> str | None:
    if texts is None:
        return await asyncio.to_thread(sys.stdin.readline) or None
    return texts.pop(0) if texts else None


async def _answer(frames: AsyncIterator[Frame], id_: str) -> Frame:
    """What answers the message that has this id. Raises Refused where the message is not taken."""
    stored: str | None = None
    said: list[Frame] = []
    async for frame in frames:
        match frame["type"]:
            case "ack" if frame["id"] == id_:
                stored = frame["message_id"]
            case "message" if frame["direction"] == "outbound":
                said.append(frame)
            case "error" if frame.get("id") == id_:
                raise Refused(sentence(frame["code"]))
        if found := next((one for one in said if stored in one.get("answers", ())), None):
            return found
    raise AssertionError
