"""Records the tour for the README: `.venv/bin/python -m docs.record` runs it at a terminal and draws docs/images/tour.svg.

rich reads the terminal's colours; the animation is CSS in the picture itself, since what draws moving terminals as SVG on the registries has not
been kept for years, or needs a browser. No script is in it, so it may stand in a README; it follows light and dark, and shows its end to whoever
wants no motion.
"""

import os
import pty
import re
import select
import subprocess
import sys
import time
from dataclasses import dataclass
from html import escape
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).resolve().parent / "images" / "tour.svg"
COLUMNS, ROWS = 80, 26
LONGEST_GAP, REST = 1.7, 6.0
"""Seconds: what took longer is shortened, and how long the end stays before it begins again."""
CELL, LINE, EDGE, BAR = 8.4, 20, 18, 34
"""Pixels: a character's width, a line's height, the margin, and the bar on top."""
CLASSES = {"bold": "b", r"color\(6\)": "c", r"color\(2\)": "g", "dim": "d"}
"""What rich calls the styles that a terminal was told by number: 6 is cyan, 2 green."""
STYLE = """
svg{--page:#fbfcfb;--ink:#14201c;--dim:#5b6a64;--line:#d9e0dd;--cyan:#0b6b57;--green:#7a4a00}
@media(prefers-color-scheme:dark){svg{--page:#0e1412;--ink:#e8eeeb;--dim:#9fada7;--line:#2a3631;--cyan:#63cfb2;--green:#f2b45c}}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:var(--ink);white-space:pre}
.b{font-weight:700}.c{fill:var(--cyan)}.g{fill:var(--green)}.d,.t{fill:var(--dim)}
.l,.s{animation-timing-function:step-end;animation-iteration-count:infinite}
@media(prefers-reduced-motion:reduce){.l{animation:none!important}.s{animation:none!important;transform:translateY(var(--end))}}
"""


@dataclass(frozen=True)
class Line:
    """One line of the terminal, and the second in which it came."""

    at: float
    text: Text


def record() -> list[Line]:
    """Runs the tour at a terminal of its own, and returns what it wrote."""
    ours, theirs = pty.openpty()
    told = os.environ | {"COLUMNS": str(COLUMNS), "LINES": str(ROWS), "TERM": "xterm-256color"}
    running = subprocess.Popen([sys.executable, "-P", "-m", "cli", "tour"], stdin=theirs, stdout=theirs, stderr=theirs, env=told, close_fds=True)
    os.close(theirs)
    came: list[tuple[float, str]] = []
    began, rest = time.monotonic(), ""
    while (piece := _read(ours)) is not None:
        rest += piece
        *whole, rest = rest.split("\n")
        came += [(time.monotonic() - began, line.rstrip("\r")) for line in whole]
        if "Enter ends" in rest:
            os.write(ours, b"\n")
            rest = ""
    if running.wait(60):
        raise SystemExit("The tour did not end well; nothing was drawn.")
    return [Line(at, piece) for at, line in paced(came) for piece in wrapped(line)]


def _read(terminal: int) -> str | None:
    """What came, empty when nothing did for a moment, None at the end."""
    if not select.select([terminal], [], [], 0.5)[0]:
        return ""
    try:
        return os.read(terminal, 65_536).decode("utf-8", "replace") or None
    except OSError:
        return None


def paced(came: list[tuple[float, str]]) -> list[tuple[float, str]]:
    """The same lines, with what took long shortened."""
    now, before, told = 0.0, 0.0, []
    for at, line in came:
        now, before = now + min(at - before, LONGEST_GAP), at
        told.append((round(now, 2), line))
    return told


def wrapped(line: str) -> list[Text]:
    """A line as the terminal shows it: broken where it is full."""
    text = Text.from_ansi(line.rstrip())
    return list(text.divide(range(COLUMNS, len(text), COLUMNS))) if len(text) > COLUMNS else [text]


def drawn(lines: list[Line]) -> str:
    """The moving picture."""
    span = lines[-1].at + REST
    width, height = COLUMNS * CELL + 2 * EDGE, ROWS * LINE + BAR + EDGE
    keyframes, rows = [], []
    for number, line in enumerate(lines):
        keyframes.append(f"@keyframes l{number}{{0%{{opacity:0}}{_share(line.at, span)}{{opacity:1}}}}")
        y = BAR + EDGE + number * LINE
        rows.append(f'<text class="l" style="animation:l{number} {span:.1f}s step-end infinite" x="{EDGE}" y="{y}">{_spans(line.text)}</text>')
    scrolled = [(line.at, -LINE * (number + 1 - ROWS)) for number, line in enumerate(lines) if number >= ROWS]
    moves = "".join(f"{_share(at, span)}{{transform:translateY({by}px)}}" for at, by in dict(scrolled).items())
    keyframes.append(f"@keyframes s{{0%{{transform:none}}{moves}}}")
    end = scrolled[-1][1] if scrolled else 0
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img" '
        f'aria-label="The tour at a terminal: a refund waits for approval, worker and API are killed, and it is paid once.">'
        f"<style>{STYLE}{''.join(keyframes)}</style>"
        f'<rect width="{width:.0f}" height="{height}" rx="10" fill="var(--page)" stroke="var(--line)"/>'
        f'<text class="t" x="{EDGE}" y="22">$ ./switchboard tour</text>'
        f'<clipPath id="w"><rect x="0" y="{BAR}" width="{width:.0f}" height="{height - BAR - 4}"/></clipPath>'
        f'<g clip-path="url(#w)"><g class="s" style="animation:s {span:.1f}s step-end infinite;--end:{end}px">{"".join(rows)}</g></g></svg>\n'
    )


def _share(at: float, span: float) -> str:
    return f"{at / span * 100:.2f}%"


def _spans(text: Text) -> str:
    """A line's pieces, each with the classes of its style; never one word of markup from the terminal."""
    pieces = []
    for segment in text.render(Console(color_system="truecolor", width=COLUMNS), end=""):
        style = str(segment.style or "")
        classes = " ".join(short for word, short in CLASSES.items() if re.search(rf"\b{word}(?!\w)", style))
        pieces.append(f'<tspan class="{classes}">{escape(segment.text)}</tspan>' if classes else escape(segment.text))
    return "".join(pieces)


if __name__ == "__main__":
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(drawn(record()), "utf-8")
