"""`switchboard chat` at a real terminal: keys in, a conversation on the screen."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
import time

from tests.cli.running import ROOT, Terminal
from tests.world import World

PATIENCE = 60.0
ANSI = re.compile(rb"\x1b\[[0-9;?]*[A-Za-z]")


class Screen:
    """A program at a terminal of 80 columns, everything it has written so far, and its keyboard."""

    def __init__(self, shell: Terminal, *words: str) -> None:
        self.written = b""
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            environment = {name: value for name, value in shell.told.items() if name != "COLUMNS"} | {"TERM": "xterm-256color"}
            os.execve(sys.executable, [sys.executable, "-m", "cli", *words], environment)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        os.set_blocking(self._fd, False)

    def type(self, keys: str) -> None:
        """Presses keys."""
        os.write(self._fd, keys.encode())

    async def until(self, words: str) -> None:
        """Reads until the words are on the screen."""
        ends = time.monotonic() + PATIENCE
        while words.encode() not in ANSI.sub(b"", self.written):
            assert time.monotonic() < ends, f"{words!r} never came:\n{self.written.decode(errors='replace')}"
            self._read()
            await asyncio.sleep(0.02)

    async def ended(self) -> int:
        """Its exit code."""
        ends = time.monotonic() + PATIENCE
        while (found := os.waitpid(self.pid, os.WNOHANG))[0] == 0:
            assert time.monotonic() < ends, "it does not end"
            self._read()
            await asyncio.sleep(0.02)
        self._read()
        os.close(self._fd)
        return os.waitstatus_to_exitcode(found[1])

    def _read(self) -> None:
        try:
            self.written += os.read(self._fd, 65_536)
        except (BlockingIOError, OSError):
            return


async def test_a_conversation_at_the_terminal(live: World, shell: Terminal) -> None:
    screen = Screen(shell, "chat")
    await screen.until("› ")
    screen.type("echo helo\x7flo\r")
    await screen.until("agent  hello")

    screen.type("refund 20 to Ada\r")
    await screen.until("asked  refund")
    approval = (await live.pending_approval())["id"]
    await screen.until(f"decide: switchboard approvals approve {approval}")
    await live.api.post(f"/v1/approvals/{approval}/decide", json={"verdict": "approved", "comment": "fine"})
    await screen.until("asked  approved")

    screen.type("\x04")
    assert await screen.ended() == 0
    assert b"you    echo hello" in ANSI.sub(b"", screen.written)

    again = Screen(shell, "chat")
    await again.until("agent  hello")
    again.type("/quit\r")
    assert await again.ended() == 0


async def test_a_decision_at_the_terminal_is_asked_for(live: World, shell: Terminal) -> None:
    asked = (await live.api.post("/v1/approvals", json={"action": "deploy", "arguments": {"version": "1.4"}, "allow_self": True})).json()

    no = Screen(shell, "approvals", "approve", asked["id"])
    await no.until("Approve this? [y/N]: ")
    no.type("n\r")
    assert await no.ended() == 1

    yes = Screen(shell, "approvals", "deny", asked["id"], "--comment", "not today")
    await yes.until('version  "1.4"')
    await yes.until("Deny this? [y/N]: ")
    yes.type("y\r")
    assert await yes.ended() == 0
    assert (await live.api.get(f"/v1/approvals/{asked['id']}")).json()["comment"] == "not today"
