"""What results look like: entries of two lines, facts beside their names, and text from strangers made harmless.

Everything fits the terminal's width. An id is never cut: where it has no room it gets a line of its own.
"""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from cli.output import out

WIDEST = 100
"""Columns beyond which lines are not stretched: the eye would lose the line."""
LONGEST_LINE = 160
"""Characters of arguments that a list shows."""
LONGEST_ID = 76
"""Columns of the longest word that is never cut: a workflow's id has 70."""
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


def one_line(text: str) -> str:
    """The same on one line, so that it cannot look like more than one thing."""
    return " ".join(clean(text).split())


def exact(value: Any) -> str:
    """A JSON value, every character of it visible: what cannot be seen is written as its escape."""
    drawn = json.dumps(value, ensure_ascii=False, indent=2 if _nested(value) else None)
    return "".join(char if clean(char) == char else _escape(char) for char in drawn)


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if ord(char) > 0x7F else f"\\u{ord(char):04x}"


def _nested(value: Any) -> bool:
    return isinstance(value, Mapping | list) and len(json.dumps(value)) > 40


def arguments_in_words(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line, as many as fit: `amount 20, to "Ada"`."""
    words = ", ".join(f"{clean(name)} {' '.join(exact(value).split())}" for name, value in arguments.items())
    return words if len(words) <= LONGEST_LINE else f"{words[:LONGEST_LINE]}…"


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
    beside = room - cell_len(right.plain) - 2
    lines = _wrapped(headline, beside if beside >= room // 2 else room, console)
    if right.plain and beside >= room // 2:
        gap = " " * (room - cell_len(lines[0].plain) - cell_len(right.plain))
        lines[0] = lines[0].append(gap).append_text(right)
    elif right.plain:
        lines.append(right)
    for line in lines:
        console.print(line)
    for part in _filled(details, room - 2):
        console.print(Text(f"  {part}", style="dim"))


def _longest(text: Text) -> int:
    """The columns of the longest word that has to stay whole."""
    return max((cell_len(word) for word in text.plain.split() if cell_len(word) <= LONGEST_ID), default=0)


def _wrapped(text: Text, room: int, console: Console) -> list[Text]:
    """A text in lines; a word that could be an id is left whole."""
    lines = list(text.wrap(console, max(room, _longest(text))))
    for line in lines:
        line.rstrip()
    return lines or [Text()]


def _filled(parts: Iterable[str], room: int) -> list[str]:
    """Parts joined by dots into as few lines as they fit in; a part is cut nowhere."""
    lines: list[str] = []
    for part in filter(None, parts):
        if lines and cell_len(lines[-1]) + cell_len(part) + 3 <= room:
            lines[-1] += f" · {part}"
        else:
            lines.append(part)
    return lines


def facts(pairs: Iterable[tuple[str, Text | str | None]], console: Console = out, indent: int = 2, label: int = 0) -> None:
    """Names and values, one below the other; names take at least `label` columns. A value with a word too long begins below its name."""
    shown = [(name, Text(value) if isinstance(value, str) else value) for name, value in pairs if value is not None and str(value)]
    label = max([label, *(cell_len(name) + 2 for name, _ in shown)])
    for name, value in shown:
        beside = _longest(value) <= width(console) - indent - label
        lines = _wrapped(value, width(console) - indent - (label if beside else 0), console)
        head = name + " " * (label - cell_len(name))
        if not beside:
            console.print(Text(" " * indent + name, style="dim"))
        for number, line in enumerate(lines):
            before = "" if not beside else head if number == 0 else " " * label
            console.print(Text.assemble(" " * indent, (before, "dim"), line))


def paragraph(head: Text, body: Text, console: Console = out) -> None:
    """Text behind a head, its further lines below its first."""
    indent = cell_len(head.plain)
    for number, line in enumerate(_wrapped(body, max(width(console) - indent, width(console) // 2), console)):
        console.print(head.copy().append_text(line) if number == 0 else Text(" " * indent).append_text(line) if line.plain else "")


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
