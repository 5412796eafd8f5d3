"""What the commands are made of: spans, lines that fit, harmless text, keys, and where things are."""

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from rich.console import Console
from rich.text import Text

from cli.keyboard import Line
from cli.pairs import pairs
from cli.place import find
from cli.spans import ago, in_words, left, seconds
from cli.tables import as_json, clean, entry, exact, facts
from cli.visitors import visitor
from domain.errors import StartFailed
from domain.ids import approval_workflow, new_id

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("passed", "said"),
    [(0, "just now"), (4.9, "just now"), (12, "12 s ago"), (190, "3 min ago"), (7300, "2 h ago"), (90_000, "1 day ago"), (4 * 86_400, "4 days ago")],
)
def test_how_long_ago(passed: float, said: str) -> None:
    assert ago((NOW - timedelta(seconds=passed)).isoformat(), NOW) == said


@pytest.mark.parametrize(
    ("remaining", "said"),
    [(-1, "time is up"), (0.4, "1 s left"), (1799.9, "30 min left"), (3600, "1 h left"), (7190, "2 h left"), (5700, "1 h 35 min left")],
)
def test_how_long_still(remaining: float, said: str) -> None:
    assert left(NOW + timedelta(seconds=remaining), NOW) == said


def test_a_span_as_it_is_typed() -> None:
    assert [seconds(typed) for typed in ("90", "90s", "1.5m", "30 min", "2h", "1d")] == [90, 90, 90, 1800, 7200, 86_400]
    assert in_words(0) == "0 s"
    with pytest.raises(typer.BadParameter):
        seconds("soon")


def test_names_with_values_as_they_are_typed() -> None:
    assert pairs(["a=1", "b:=1", "c:={\"d\": [true]}", "e=f=g"], "--arg") == {"a": "1", "b": 1, "c": {"d": [True]}, "e": "f=g"}
    for wrong in ("a", "=1", "a:=b"):
        with pytest.raises(typer.BadParameter):
            pairs([wrong], "--arg")


def _console(width: int) -> tuple[Console, io.StringIO]:
    written = io.StringIO()
    return Console(file=written, width=width, soft_wrap=True, highlight=False), written


@pytest.mark.parametrize("width", [30, 50, 80, 200])
def test_an_id_is_never_cut_and_no_line_has_trailing_spaces(width: int) -> None:
    console, written = _console(width)
    ids = [new_id("apr"), new_id("ses"), approval_workflow(new_id("ten"), new_id("apr"))]

    entry(Text("A rather long headline that has to be wrapped in a narrow terminal"), Text("pending · 29 min left"), ids[:2], console)
    facts([("id", ids[0]), ("in Temporal", ids[2]), ("words", "some that are many enough to fill more than one line, wherever it ends")], console)

    assert set(ids) <= set(written.getvalue().split())
    assert [line for line in written.getvalue().splitlines() if line != line.rstrip()] == []
    assert [line for line in written.getvalue().splitlines() if len(line) > width and not any(id_ in line for id_ in ids)] == []


def test_text_of_strangers_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[31mb\u202ec\x07\x9bd\ne\tf \N{WOMAN}\u200d\N{PERSONAL COMPUTER}") == "a�[31mb�c��d\ne\tf \N{WOMAN}\u200d\N{PERSONAL COMPUTER}"
    assert exact("a\u202eb\u200b\x7f\"") == r'"a\u202eb\u200b\u007f\""'


def test_json_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    as_json({"text": "[bold]:smile:[/bold] " + "x" * 200})

    assert capsys.readouterr().out == '{\n  "text": "[bold]:smile:[/bold] ' + "x" * 200 + '"\n}\n'


def test_keys_make_lines() -> None:
    line = Line()

    assert line.feed(b"helo\x1b[Dl\x1b[C!\r") == ["hello!"]
    assert line.feed(b"one two\x17three\r\x1b[A\x1b[A\x1b[B\r") == ["one three", "one three"]
    assert line.feed("ü".encode()[:1]) + line.feed("ü".encode()[1:] + b"\x1b") + line.feed(b"[H>\r") == [">ü"]
    assert line.feed(b"\x1b[200~a\rb\x1b[201~c\r") == ["a\nbc"]
    assert line.feed(b"x\x04\x01\x04\r") == [""]
    with pytest.raises(EOFError):
        line.feed(b"\x04")


def test_the_folders_key_is_shown_to_no_stranger(tmp_path: Path) -> None:
    (tmp_path / "admin_token").write_text("sb_secret\n")

    assert find("", "", tmp_path).key == find("http://localhost:1", "", tmp_path).key == "sb_secret"
    assert find("https://example.org", "", tmp_path).key == ""
    assert find("https://example.org/", "mine", tmp_path).api == "https://example.org"
    with pytest.raises(StartFailed):
        find("example.org", "", tmp_path)


def test_a_visitor_is_kept_for_the_api_that_knows_it(tmp_path: Path) -> None:
    known = visitor(find("http://127.0.0.1:1", "", tmp_path), "acc_1")
    known.token, known.after = "t", 7
    known.keep()

    again = visitor(find("http://127.0.0.1:2", "", tmp_path), "acc_1")
    assert (again.token, again.after) == ("t", 7)
    assert visitor(find("https://example.org", "", tmp_path), "acc_1").token is None
