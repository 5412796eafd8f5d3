"""What is wrong on purpose: bodies and frames that no program of good will sends, by the throw of dice."""

import json
import random
import string
from collections.abc import Callable

DEEP = 20_000
POISONS = {
    "NUL": r'"a\u0000b"',
    "half of a pair": r'"a\ud800b"',
    "NaN": "NaN",
    "minus infinity": "-Infinity",
    "too many digits": "9" * 5_000,
    "deep": "[" * DEEP + "]" * DEEP,
    "unclosed": "[" * DEEP,
}
"""JSON values that Python may read and Postgres does not keep, or that only look like JSON."""


def _text(dice: random.Random) -> str:
    return "".join(dice.choices(string.printable + "äß漢\u202e\ufeff🙂", k=dice.randrange(1, 60)))


def _broken(dice: random.Random) -> bytes:
    whole = json.dumps({"id": _text(dice), "text": _text(dice)}).encode()
    return whole[: dice.randrange(1, len(whole))]


def _bytes(dice: random.Random) -> bytes:
    return b"\xff" + dice.randbytes(dice.randrange(1, 200))


def _wrong_type(dice: random.Random) -> bytes:
    return dice.choice([b"null", b"true", b"17", b'"text"', b"[]", b'[{"text": "x"}]', b'{"text": 5}', b'{"": ""}', b'{"no_such": {"field": []}}'])


def _poison(dice: random.Random) -> bytes:
    value = dice.choice(list(POISONS.values()))
    return f'{{"id": {value}, "text": {value}, "verdict": {value}, "name": {value}}}'.encode()


def _controls(dice: random.Random) -> bytes:
    return b'{"text": "' + bytes(dice.randrange(32) for _ in range(20)) + b'"}'


def _not_utf8(dice: random.Random) -> bytes:
    return b'{"id": "1", "text": "' + dice.choice([b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\xc0\xaf", b"\x80"]) + b'"}'


def _long(dice: random.Random) -> bytes:
    return json.dumps({"id": "1", "text": "x" * dice.randrange(16_001, 200_000)}).encode()


def _unterminated(dice: random.Random) -> bytes:
    return b'{"id": "1", "text": "' + _text(dice).encode() * dice.randrange(1, 50)


KINDS: tuple[Callable[[random.Random], bytes], ...] = (
    _broken, _bytes, _wrong_type, _poison, _controls, _not_utf8, _long, _unterminated,
)  # fmt: skip


def malformed(dice: random.Random) -> bytes:
    """One body or frame that has to be refused, wherever it goes."""
    return dice.choice(KINDS)(dice)
