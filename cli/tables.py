"""What results look like: entries of two lines, facts beside their names, and text from strangers made harmless.

Everything fits the terminal's width. An id is never cut: where it has no room it gets a line of its own.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.output import out

WIDEST = 100
"""Columns beyond which lines are not stretched: the eye would lose the line."""
KEPT = "\n\t\u200c\u200d"
"""Line ends, and the invisible characters that emoji and some scripts need."""
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Categories of characters that do something instead of being seen."""
STYLES = {
    "pending": "yellow", "awaiting_approval": "yellow", "undecided": "yellow", "held": "yellow", "pairing": "yellow", "reconnecting": "yellow",
    "unknown": "yellow", "suspended": "yellow", "handed_off": "yellow",
    "approved": "green", "connected": "green", "active": "green", "ready": "green", "up": "green",
    "denied": "red", "error": "red", "logged_out": "red", "failed": "red", "parked": "red", "down": "red",
    "expired": "dim", "cancelled": "dim", "closed": "dim", "idle": "dim", "new": "dim",
}  # fmt: skip


def clean(text: str) -> str:
    """Text that others wrote, without what could move the cursor, ring, or turn the reading direction."""
    return "".join(char if char in KEPT or unicodedata.category(char) not in UNSEEN else "\ufffd" for char in text)


def exact(value: Any) -> str:
    """A JSON value, every character of it visible: what cannot be seen is written as its escape."""
    drawn = json.dumps(value, ensure_ascii=False, indent=2 if _nested(value) else None)
    return "".join(char if clean(char) == char else _escape(char) for char in drawn)


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) > 0x7F else f"\\u{ord(char):04x}"


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list) and len(json.dumps(value)) > 40


def arguments_in_words(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line: `amount 20, to "Ada"`."""
    return ", ".join(f"{clean(name)} {' '.join(exact(value).split())}" for name, value in arguments.items())


def named(state: str | None) -> Text:
    """A state in its colour, as words."""
    return Text.assemble(((state or "").replace("_", " "), STYLES.get(state or "", "")))


def width(console: Console = out) -> int:
    """Columns to use."""
    return min(console.width, WIDEST)


def title(left: str, right: str = "") -> None:
    """The first line of a screen."""
    entry(Text(left, style="bold"), Text(right, style="dim"), [])


def entry(headline: Text, right: Text, details: Sequence[str], console: Console = out) -> None:
    """Something in a list: what it is, how it stands at the right, and below it what else one wants to know, ids first."""
    room = width(console)
    if cell_len(headline.plain) + cell_len(right.plain) + 2 <= room or cell_len(right.plain) < room // 2:
        line = Table.grid(expand=True, padding=(0, 2, 0, 0), pad_edge=False)
        line.add_column(overflow="fold", ratio=1)
        line.add_column(justify="right", no_wrap=True)
        line.add_row(headline, right)
        console.print(line, soft_wrap=False, width=room)
    else:
        console.print(headline, soft_wrap=False, width=room)
        console.print(right, soft_wrap=False, width=room)
    for part in _filled(details, room - 2):
        console.print(Text(f"  {part}", style="dim"), soft_wrap=True)


def _filled(parts: Iterable[str], room: int) -> list[str]:
    """Parts joined by dots into as few lines as they fit in; a part is cut nowhere."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and cell_len(lines[-1]) + cell_len(part) + 3 <= room:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def facts(pairs: Iterable[tuple[str, Text | str | None]], console: Console = out, indent: int = 2) -> None:
    """Names and values, one below the other. A value with a word too long for its column gets lines of its own; None is left out."""
    shown = [(name, Text(value) if isinstance(value, str) else value) for name, value in pairs if value is not None and str(value)]
    if not shown:
        return
    label = max(cell_len(name) for name, _ in shown) + 2
    room = width(console) - indent - label
    for name, value in shown:
        if max((cell_len(word) for word in value.plain.split()), default=0) > room:
            console.print(Text(f"{' ' * indent}{name}", style="dim"))
            console.print(Text(" " * indent).append_text(value), soft_wrap=True)
            continue
        line = Table.grid(padding=(0, 0, 0, 0))
        line.add_column(width=indent + label, no_wrap=True)
        line.add_column(overflow="fold")
        line.add_row(Text(f"{' ' * indent}{name}", style="dim"), value)
        console.print(line, soft_wrap=False, width=width(console))


def as_json(body: Any) -> None:
    """A body as the API gave it."""
    out.print(json.dumps(body, ensure_ascii=False, indent=2), markup=False, emoji=False)


def blank(console: Console = out) -> None:
    """An empty line between things."""
    console.print()


def more(body: Mapping[str, Any]) -> None:
    """How to see the next page, where there is one."""
    if body.get("next"):
        out.print(Text(f"More with --cursor {body['next']}", style="dim"))
