"""Times and spans as a person says them, and as a person types them."""

import re
from datetime import UTC, datetime

import typer

UNITS = (("day", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
TYPED = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)?")
SECONDS = {"s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, None: 1}


def in_words(seconds: float) -> str:
    """A span such as `12 s`, `3 min`, `2 h` or `4 days`, rounded down."""
    for unit, size in UNITS:
        if seconds >= size:
            count = int(seconds // size)
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return "0 s"


def when(at: str | datetime) -> datetime:
    """A time as the API says it."""
    return at if isinstance(at, datetime) else datetime.fromisoformat(at)


def ago(at: str | datetime | None, now: datetime | None = None) -> str:
    """How long ago something was: `3 min ago`, or `just now`."""
    if at is None:
        return "never"
    passed = ((now or datetime.now(UTC)) - when(at)).total_seconds()
    return "just now" if passed < 5 else f"{in_words(passed)} ago"


def left(until: str | datetime, now: datetime | None = None) -> str:
    """How long there is still: `29 min left`, or `time is up`."""
    remaining = (when(until) - (now or datetime.now(UTC))).total_seconds()
    if remaining <= 0:
        return "time is up"
    if remaining < 120:
        return f"{in_words(max(1.0, remaining))} left"
    minutes = round(remaining / 60)
    beyond = f" {minutes % 60} min" if 60 < minutes < 1440 and minutes % 60 else ""
    return f"{in_words(minutes * 60)}{beyond} left"


def clock(at: str | datetime) -> str:
    """A moment on this machine's clock: `21 Nov 01:20`."""
    return when(at).astimezone().strftime("%-d %b %H:%M")


def seconds(typed: str | float) -> float:
    """The seconds of a span that someone typed, such as `90`, `90s`, `30m`, `2h` or `1d`, or of an option's default."""
    found = TYPED.fullmatch(str(typed).strip())
    if not found:
        raise typer.BadParameter(f"{typed!r} is no span of time such as 90s, 30m, 2h or 1d.")
    return float(found[1]) * SECONDS[found[2]]
