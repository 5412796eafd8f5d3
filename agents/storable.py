"""What may be kept: JSON that Postgres and canonical JSON (RFC 8785) take as it is, whoever wrote it."""

import json
import math

from agents import Json

EXACT_IN_JSON = 2**53 - 1
DEEPEST = 64
LARGEST_RESULT = 64 * 1024
"""Bytes of JSON that are kept of a tool's result."""


def storable(value: Json, depth: int = 0) -> Json:
    """The same value without what cannot be stored: NUL characters and broken surrogates go, numbers that JSON cannot hold become text.

    Raises TypeError when something is not JSON at all, ValueError when it is nested more than `DEEPEST` levels.
    """
    if depth > DEEPEST:
        raise ValueError("nested too deeply")
    match value:
        case None | bool():
            return value
        case str():
            return clean_text(value)
        case int():
            return value if abs(value) <= EXACT_IN_JSON else str(value)
        case float():
            return value if math.isfinite(value) else str(value)
        case dict():
            return {clean_text(str(name)): storable(item, depth + 1) for name, item in value.items()}
        case list() | tuple():
            return [storable(item, depth + 1) for item in value]
        case _:
            raise TypeError(f"{type(value).__name__} is not JSON")


def clean_text(text: str) -> str:
    """Text without NUL characters and broken surrogates."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def bounded(value: Json, limit: int) -> Json:
    """The value if its JSON has at most `limit` bytes; otherwise its beginning as text, with a note that says so."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode())
    if size <= limit:
        return value
    note = f"The result had {size} bytes; only its beginning is kept."
    room = limit - len(note.encode()) - len('{"cut":"","note":""}')
    beginning = text.encode()[: room // 2].decode("utf-8", "ignore")
    return {"cut": beginning, "note": note}
