"""Cutting a reply: every piece within the limit, nothing lost, no code fence ever split."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.text import FENCE, chunks

LIMITS = st.integers(min_value=40, max_value=200)
WORDS = st.text(st.sampled_from("abc äß🙂\n\t "), max_size=120)
CODE = st.text(st.sampled_from("xy=1 \n`"), max_size=150).map(lambda code: re.sub(r"^```", "``", code, flags=re.MULTILINE))
FENCED = st.tuples(st.sampled_from(["", "py", "text"]), CODE).map(lambda pair: f"\n{FENCE}{pair[0]}\n{pair[1].strip(chr(10)) or 'x'}\n{FENCE}\n")
TEXTS = st.lists(st.one_of(WORDS, FENCED), max_size=6).map("".join)


def _fences(piece: str) -> list[str]:
    return [line for line in piece.split("\n") if line.startswith(FENCE)]


def _signs(text: str) -> str:
    """A text's visible signs without fence lines, which a cut may add."""
    return "".join("".join(line.split()) for line in text.split("\n") if not line.startswith(FENCE))


@settings(max_examples=300, deadline=None)
@given(TEXTS, LIMITS)
@example(" " * 500, 40)
@example("\n\n" * 300, 40)
@example("x" * 1000, 40)
@example(f"{FENCE}\n" + "x" * 1000 + f"\n{FENCE}", 40)
@example("word " * 5 + f"\n{FENCE}py\n" + "x = 1\n" * 40 + f"{FENCE}\nend", 50)
def test_every_piece_is_within_the_limit_whole_and_nothing_is_lost(text: str, limit: int) -> None:
    pieces = chunks(text, limit)

    assert all(len(piece) <= limit for piece in pieces)
    assert _signs("\n".join(pieces)) == _signs(text)
    assert all(len(_fences(piece)) % 2 == 0 for piece in pieces)


@settings(max_examples=200, deadline=None)
@given(TEXTS, LIMITS)
def test_no_piece_is_empty_unless_the_text_is(text: str, limit: int) -> None:
    pieces = chunks(text, limit)

    assert all(piece.strip() for piece in pieces) or not text.strip()


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("short", 100, ["short"]),
        ("", 100, [""]),
        ("x" * 100, 100, ["x" * 100]),
        ("a" * 60 + "\n\n" + "b" * 60, 100, ["a" * 60, "b" * 60]),
        ("a" * 60 + "\n" + "b" * 60, 100, ["a" * 60, "b" * 60]),
        ("a" * 60 + " " + "b" * 60, 100, ["a" * 60, "b" * 60]),
        ("a" * 60 + " " + "c" * 20 + "\n\n" + "b" * 60, 100, ["a" * 60 + " " + "c" * 20, "b" * 60]),
    ],
)
def test_a_cut_is_at_a_paragraph_before_a_line_before_a_word(text: str, limit: int, pieces: list[str]) -> None:
    assert chunks(text, limit) == pieces


def test_a_fence_that_fits_into_the_next_piece_is_left_whole() -> None:
    code = f"{FENCE}py\n" + "x = 1\n" * 8 + FENCE
    pieces = chunks("a" * 70 + "\n\n" + code, 100)

    assert pieces == ["a" * 70, code]


def test_a_fence_that_is_too_long_is_closed_at_the_cut_and_opened_again_in_its_language() -> None:
    pieces = chunks(f"{FENCE}py\n" + "x = 1\n" * 40 + FENCE, 100)

    assert len(pieces) > 2
    assert all(piece.startswith(f"{FENCE}py\n") and piece.endswith(f"\n{FENCE}") for piece in pieces)
    assert "".join(piece.removeprefix(f"{FENCE}py\n").removesuffix(FENCE) for piece in pieces).count("x = 1\n") == 40


def test_a_fence_whose_first_line_alone_is_over_the_limit_still_comes_to_an_end() -> None:
    pieces = chunks(FENCE + "p" * 200 + f"\nx\n{FENCE}", 40)

    assert all(0 < len(piece) <= 40 for piece in pieces)
    assert "".join(pieces).count("p") == 200
