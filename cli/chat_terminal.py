"""A conversation on the terminal: what was said above, what is being written and typed below."""

import asyncio
import contextlib
import os
import sys
import termios
import tty
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from cli.chat_wire import Frame, Wire, sentence
from cli.keyboard import Line
from cli.spans import in_words, left
from cli.tables import arguments_in_words, clean, named, one_line, paragraph

REPEATED = 12
"""Messages of before that are shown again at the start."""
PROMPT, YOU, AGENT = "› ", "you    ", "agent  "
FORGET_TYPING_AFTER = 60.0
PASTE_ON, PASTE_OFF = b"\x1b[?2004h", b"\x1b[?2004l"
LEAVE = ("/quit", "/exit")


class Talk:
    """One conversation, until Ctrl-D, Ctrl-C or /quit."""

    def __init__(self, wire: Wire, console: Console) -> None:
        self._wire, self._console = wire, console
        self._line = Line()
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._shown: set[str] = set()
        self._away: float | None = 0.0
        self._writing = False
        self._draft = ""
        self._forget: asyncio.TimerHandle | None = None
        self._live = Live(console=console, auto_refresh=False, transient=True, vertical_overflow="visible")

    async def run(self) -> None:
        """Talks. Raises what the wire raises."""
        self._console.print(Text("Ctrl-D leaves; the conversation goes on the next time.", style="dim"))
        async with aclosing(self._wire.frames(again=REPEATED)) as frames:
            hello = await anext(frames)
            with _keys(self._on_keys), self._live:
                self._on_frame(hello)
                await self._until_left(frames)

    async def _until_left(self, frames: AsyncIterator[Frame]) -> None:
        hearing, sending = asyncio.create_task(self._hear(frames)), asyncio.create_task(self._send())
        try:
            done, _ = await asyncio.wait({hearing, sending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            hearing.cancel()
            sending.cancel()
            await asyncio.gather(hearing, sending, return_exceptions=True)
        for task in done:
            task.result()

    async def _hear(self, frames: AsyncIterator[Frame]) -> None:
        async for frame in frames:
            self._on_frame(frame)

    async def _send(self) -> None:
        while (text := await self._typed.get()) is not None and text.strip() not in LEAVE:
            if text.strip():
                await self._wire.send(text.strip())
                self._draw()

    def _on_keys(self) -> None:
        try:
            for line in self._line.feed(os.read(sys.stdin.fileno(), 65_536)):
                self._typed.put_nowait(line)
        except EOFError:
            self._typed.put_nowait(None)
        self._draw()

    def _on_frame(self, frame: Frame) -> None:
        match frame["type"]:
            case "away":
                self._away = frame["seconds"]
                self._write(None)
            case "hello":
                self._away = None
            case "message":
                self._message(frame)
            case "typing":
                self._write("")
            case "delta":
                self._write(frame["text"] if frame.get("reset") or not self._writing else self._draft + frame["text"])
            case "approval":
                self._approval(frame)
            case "error":
                self._say(Text("  ! ", style="yellow"), Text(sentence(frame["code"]), style="yellow"))
        self._draw()

    def _message(self, frame: Frame) -> None:
        if frame["message_id"] in self._shown:
            return None
        self._shown.add(frame["message_id"])
        if frame["direction"] == "inbound":
            self._console.print()
            return self._say(Text(YOU, style="cyan"), Text(clean(frame["text"])))
        self._write(None)
        said = Text(clean(frame["text"]))
        if frame.get("resend_of"):
            said.append("  (may be a repetition)", style="dim")
        self._say(Text(AGENT, style="bold"), said)
        if choices := [clean(str(one.get("text") or one.get("label"))) for one in frame.get("buttons", [])]:
            self._say(Text(" " * len(AGENT)), Text(f"answer with {' or '.join(choices)}", style="dim"))
        return None

    def _approval(self, frame: Frame) -> None:
        asked = f"{one_line(frame['action'])}  {arguments_in_words(frame['arguments'])}"
        if frame["state"] == "pending":
            self._say(Text("asked  ", style="yellow"), Text(f"{asked} · {left(frame['deadline_at'])}"))
            hint = f"decide: switchboard approvals approve {frame['approval_id']}"
            return self._say(Text(" " * len(AGENT)), Text(hint, style="dim"))
        said = named(frame["verdict"]).append(f"  {asked}")
        if frame.get("comment"):
            said.append(f": {one_line(frame['comment'])}")
        return self._say(Text("asked  ", style="yellow"), said)

    def _write(self, draft: str | None) -> None:
        """Somebody is writing, so far this; or nobody is any more."""
        self._writing, self._draft = draft is not None, draft or ""
        if self._forget:
            self._forget.cancel()
        self._forget = asyncio.get_running_loop().call_later(FORGET_TYPING_AFTER, self._stopped_writing) if self._writing else None

    def _stopped_writing(self) -> None:
        self._write(None)
        self._draw()

    def _say(self, head: Text, said: Text) -> None:
        paragraph(head, said, self._console)

    def _draw(self) -> None:
        self._live.update(Group(*self._below()), refresh=self._live.is_started)

    def _below(self) -> Iterator[Text]:
        for text in self._wire.unsent.values():
            yield Text.assemble((f"{YOU}{clean(text)}", "dim"))
        if self._writing:
            yield Text.assemble((AGENT, "bold"), clean(self._draft), ("…", "dim"))
        if self._away is not None:
            yield Text(f"The connection is gone; trying again in {in_words(max(1.0, self._away))}.", style="yellow")
        text, at = self._line.text, self._line.at
        yield Text.assemble((PROMPT, "cyan"), clean(text[:at]), (clean(text[at : at + 1]) or " ", "reverse"), clean(text[at + 1 :]))


@contextlib.contextmanager
def _keys(on_keys: Callable[[], None]) -> Iterator[None]:
    """Every key at once, unshown, for as long as the block lasts."""
    fd, loop = sys.stdin.fileno(), asyncio.get_running_loop()
    before = termios.tcgetattr(fd)
    try:
        tty.setcbreak(fd)
        os.write(sys.stdout.fileno(), PASTE_ON)
        loop.add_reader(fd, on_keys)
        yield
    finally:
        loop.remove_reader(fd)
        os.write(sys.stdout.fileno(), PASTE_OFF)
        termios.tcsetattr(fd, termios.TCSADRAIN, before)
