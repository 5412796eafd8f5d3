"""Small files, short functions."""

from tests.architecture.tree import files, functions, name, product

LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 60
WRITTEN = frozenset({".py", ".sql", ".js", ".css", ".html", ".ftl", ".svg"})
"""The kinds of files that are code; locks and prose are as long as they have to be."""


def test_a_file_has_at_most_300_lines() -> None:
    lines = {name(path): len(path.read_text("utf-8").splitlines()) for path in files() if path.suffix in WRITTEN}

    too_long = {path: count for path, count in lines.items() if count > LINES_OF_A_FILE}

    assert too_long == {}, "split it where two things begin to live in it"


def test_a_function_has_at_most_60_lines() -> None:
    too_long = {
        f"{name(path)}:{node.name}": lines
        for path in product()
        for node in functions(path)
        if (lines := (node.end_lineno or 0) - node.lineno + 1) > LINES_OF_A_FUNCTION
    }

    assert too_long == {}, "name the steps, and let each be a function"
