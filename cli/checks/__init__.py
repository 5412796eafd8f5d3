"""What `doctor` looks at. A check is a function of the ground it stands on; it says in one sentence what it found, and in one how to mend it."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fail", "skipped"]


@dataclass(frozen=True)
class Finding:
    """What a check found. `mend` says what to do, and is empty where nothing is to be done."""

    state: State
    found: str
    mend: str = ""


class Skipped(Exception):
    """A check that cannot be made here; the message says why, as a sentence."""


def ok(found: str) -> Finding:
    """As it should be."""
    return Finding("ok", found)


def warn(found: str, mend: str) -> Finding:
    """Works, and deserves a look."""
    return Finding("warn", found, mend)


def fail(found: str, mend: str) -> Finding:
    """Broken, or about to be."""
    return Finding("fail", found, mend)


def count(number: int, one: str, many: str = "") -> str:
    """A number with what there is so many of: `1 message`, `3 messages`, or with a verb, where `many` is given."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(words: list[str], most: int = 3) -> str:
    """Words as a sentence has them: `a`, `a and b`, `a, b, c and 4 more`."""
    shown = words if len(words) <= most else [*words[:most], f"{len(words) - most} more"]
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]])) if shown else ""


def are(words: list[str]) -> str:
    """The same with its verb: `a is`, `a and b are`."""
    return f"{listed(words, 4)} {'is' if len(words) == 1 else 'are'}"
