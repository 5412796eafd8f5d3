"""What every command writes with: results to standard output, troubles and waiting to standard error."""

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

out = Console(highlight=False, soft_wrap=True)
err = Console(highlight=False, soft_wrap=True, stderr=True)
REDRAW_EVERY = 0.1


def fail(sentence: str) -> None:
    """Says what is wrong and what to do."""
    err.print(Text.assemble(("✗ " if err.is_terminal else "", "bold red"), sentence))


class Steps:
    """Lines for things that take time: one that moves while it goes on, one with its seconds when it is done."""

    def __init__(self, console: Console = out) -> None:
        self._console = console
        self._began: dict[str, float] = {}
        self._drawn = 0.0
        # Refreshed by us, since a thread of rich's own would be alive while children are started.
        self._live = Live(console=console, auto_refresh=False, transient=True) if console.is_terminal else None

    def waiting(self, what: str) -> None:
        """Something goes on; may be called as often as one likes."""
        now = time.monotonic()
        began = self._began.setdefault(what, now)
        if self._live and now - max(began, self._drawn) > REDRAW_EVERY:
            self._drawn = now
            if not self._live.is_started:
                self._live.start()
            self._live.update(Text(f"  · {what} … {now - began:.1f} s", style="dim"), refresh=True)

    def done(self, what: str, seconds: float) -> None:
        """Something is done, in so many seconds."""
        self.line(Text.assemble(("  ✓ ", "green"), f"{what:<40}", (f"{seconds:>6.1f} s", "dim")))

    def failed(self, what: str, seconds: float) -> None:
        """Something failed, after so many seconds."""
        self.line(Text.assemble(("  ✗ ", "red"), f"{what:<40}", (f"{seconds:>6.1f} s", "dim")))

    def note(self, line: str) -> None:
        """Something happened that is worth a line."""
        self.line(Text(f"  {time.strftime('%H:%M:%S')} {line}", style="dim"))

    def line(self, text: Text | str = "") -> None:
        """Writes a line below what is there."""
        if self._live and self._live.is_started:
            self._live.stop()
        self._console.print(text)


def short(path: Path) -> str:
    """A path as one would type it here."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
