"""The tour is a promise to newcomers: it has to end well, also on a busy machine; and the README's picture of it shows what it shows."""

import html
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from cli.tour import STEPS
from docs.record import LONGEST_GAP, Line, Text, drawn, paced, wrapped

ROOT = Path(__file__).parents[2]
PICTURE = ROOT / "docs/images/tour.svg"
SVG = "{http://www.w3.org/2000/svg}"


def lines(picture: str) -> list[str]:
    """What a picture shows, line by line."""
    return ["".join(line.itertext()) for line in ElementTree.fromstring(picture).iter(f"{SVG}text")]


def test_the_tour_ends_with_one_refund_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "tour", "--fast"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=170,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(tmp_path), "COLUMNS": "80", "PYTHONPATH": str(ROOT)},
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    told = " ".join(ran.stdout.split())
    assert [sentence for sentence in STEPS.values() if sentence not in told] == []
    assert "The table demo_refunds has no rows of 42." in told, "before it is approved"
    assert "The table demo_refunds has 1 row of 42." in told
    assert "was approved and paid" in told
    assert "409 already_decided: it was approved" in told
    assert list(tmp_path.iterdir()) == []


def test_the_picture_is_of_this_tour() -> None:
    """Its steps are the tour's, each once and in order; else run .venv/bin/python -m docs.record."""
    numbered = [found[1] for line in lines(PICTURE.read_text("utf-8")) if (found := re.fullmatch(r"\s*\d/\d  (.+?)\s*", line))]

    assert numbered == list(STEPS.values())


def test_the_picture_may_stand_in_a_readme() -> None:
    """Small, without a script or anything from elsewhere, in light and dark, and still for whoever wants that; and the README shows it."""
    drawing = PICTURE.read_text("utf-8")

    assert PICTURE.stat().st_size < 300_000
    assert {one.tag.removeprefix(SVG) for one in ElementTree.fromstring(drawing).iter()} <= {"svg", "style", "rect", "text", "tspan", "g", "clipPath"}
    assert not re.search(r"\bon\w+=|href=|url\((?!#)|@import", drawing)
    assert "prefers-color-scheme:dark" in drawing
    assert "prefers-reduced-motion:reduce" in drawing
    assert "(docs/images/tour.svg)" in (ROOT / "README.md").read_text("utf-8")


def test_what_a_terminal_wrote_stays_text() -> None:
    words = "<script>alert(1)</script> & <b>"
    drawing = drawn([Line(0.5, Text(words)), Line(1.0, Text("end"))])

    assert words in lines(drawing)
    assert html.escape("<script>") in drawing


def test_what_took_long_is_shortened_and_keeps_its_order() -> None:
    assert paced([(1.0, "a"), (61.0, "b"), (61.5, "c")]) == [(1.0, "a"), (1.0 + LONGEST_GAP, "b"), (1.5 + LONGEST_GAP, "c")]
    assert [piece.plain for piece in wrapped("x" * 170)] == ["x" * 80, "x" * 80, "x" * 10]
