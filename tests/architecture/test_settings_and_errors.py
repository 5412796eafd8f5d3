"""Every setting and every error code is documented, and the drawing of the errors is of what is there."""

import ast
import re

import pytest

from docs import tables
from docs.tables import TABLES, errors, sentences, variables, with_table
from domain import errors as module
from domain.errors import Refused, StartFailed, SwitchboardError, Unavailable
from settings import Settings
from tests.architecture.tree import ROOT, name, product, tree
from wiring import checked

NOT_OURS = re.compile(r"^(?:HOME|PATH|DISPLAY|WAYLAND_DISPLAY|PYTHON\w*|DEBIAN_FRONTEND|MALLOC_ARENA_MAX|LANG|TMPDIR|CI|XDG_\w+|UV_\w+)$")
"""Variables of the machine, which nobody sets for Switchboard's sake."""
EDGES = {"problem": 1, "_error": 1, "error": 1}
"""The functions of the API that take a code as it is, with its place among their arguments."""


def page(name_: str) -> str:
    return (ROOT / "docs" / name_).read_text("utf-8")


def test_every_setting_says_in_a_sentence_what_it_is() -> None:
    said = sentences()

    assert set(said) == set(Settings.model_fields)
    assert [setting for setting, text in said.items() if not (text.endswith(".") and text[0].isupper() and len(text.split()) >= 4)] == []


@pytest.mark.parametrize("name_", TABLES)
def test_a_table_of_the_documentation_is_the_codes_own(name_: str) -> None:
    assert page(name_) == with_table(page(name_), TABLES[name_]()), "run .venv/bin/python -m docs.tables"


def test_every_setting_is_named_in_its_page() -> None:
    assert [variable for variable in variables() if f"`{variable}`" not in page("settings.md")] == []


def test_every_variable_that_the_code_reads_besides_is_named_in_the_same_page() -> None:
    read = {found for path in product() for found in _read_from_environment(tree(path)) if not NOT_OURS.match(found)}

    assert {found for found in read if f"`{found}`" not in page("settings.md")} == set()


@pytest.mark.parametrize(
    ("told", "missing"),
    [
        ({}, "DATABASE_URL"),
        ({"DATABASE_URL": "garbage"}, "DATABASE_URL is no address"),
        ({"DATABASE_URL": "postgresql://a@b/c"}, "SWITCHBOARD_SIGNING_KEY is not set"),
        ({"DATABASE_URL": "postgresql://a@b/c", "signing_key": "too short"}, "SWITCHBOARD_SIGNING_KEY needs 16"),
        ({"DATABASE_URL": "postgresql://a@b/c", "signing_key": "x" * 16}, "SWITCHBOARD_SEALING_KEYS"),
        ({"DATABASE_URL": "postgresql://a@b/c", "signing_key": "x" * 16, "sealing_keys": "no key"}, "SWITCHBOARD_SEALING_KEYS"),
    ],
)
def test_a_process_that_lacks_a_setting_says_which(told: dict[str, str], missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in variables():
        monkeypatch.delenv(variable, raising=False)

    with pytest.raises(StartFailed, match=missing):
        checked(Settings(**told))  # type: ignore[arg-type] # by name, as the environment does


def test_every_error_code_has_one_meaning_and_a_message_that_says_what_to_do() -> None:
    kinds = list(errors())
    codes = [kind.code for kind in kinds]

    assert len(codes) == len(set(codes))
    assert [kind.__name__ for kind in kinds if not (kind.__doc__ or "").strip().endswith(".")] == []
    assert [kind.__name__ for kind in kinds if not re.fullmatch(r"[a-z]+(?:_[a-z]+)*", kind.code)] == []
    assert [kind.__name__ for kind in kinds if kind.__doc__ == (kind.__mro__[1].__doc__ or "")] == []


def test_what_is_refused_is_the_callers_and_what_is_unavailable_is_ours() -> None:
    assert [kind.__name__ for kind in errors() if issubclass(kind, Refused) and not 400 <= kind.status < 500] == []
    assert [kind.__name__ for kind in errors() if issubclass(kind, Unavailable) and not (kind.status == 503 and kind.retryable)] == []


def test_every_code_that_only_an_edge_gives_is_in_the_page_of_errors() -> None:
    given = {code for path in product() if name(path).startswith("api/") for code in _codes_given(tree(path))}

    assert {code for code in given if f"`{code}`" not in page("errors.md")} == set()


def test_the_drawing_of_the_errors_is_of_the_classes_there_are() -> None:
    drawn = _drawn(module.__doc__ or "")
    there = {kind.__name__: kind.__mro__[1].__name__ for kind in errors() if kind is not SwitchboardError}

    assert drawn == there


def test_the_drawing_is_read_as_a_person_reads_it() -> None:
    assert _drawn("Root\n├── Aa    what a is\n│   ├── Bb  Cc\n│   │   └── Dd      more words\n└── Ee  some words\n") == {
        "Aa": "Root", "Bb": "Aa", "Cc": "Aa", "Dd": "Cc", "Ee": "Root",
    }  # fmt: skip


def test_the_tables_are_written_by_a_script_that_lives_beside_them() -> None:
    assert tables.HERE == ROOT / "docs"


def _drawn(drawing: str) -> dict[str, str]:
    """Each class of the drawing with the one it hangs on: the last named one line above it that stands further left."""
    above: list[tuple[int, str]] = []
    found: dict[str, str] = {}
    for line in drawing.splitlines():
        place = re.match(r"^([│├└─ ]*)([A-Z]\w+(?: {1,2}[A-Z]\w+)*)(?= {2,}|$)", line)
        if place is None or not (place[1] or line.strip() == place[2]):
            continue
        names = re.findall(r"[A-Z]\w+", place[2])
        while above and above[-1][0] >= len(place[1]):
            above.pop()
        if above:
            found |= dict.fromkeys(names, above[-1][1])
        above.append((len(place[1]), names[-1]))
    return found


def _codes_given(module_: ast.Module) -> set[str]:
    """The codes written out where a response or a frame is made, and in a table of codes."""
    found: list[ast.expr] = []
    for node in ast.walk(module_):
        match node:
            case ast.Call(func=ast.Name(id=function) | ast.Attribute(attr=function), args=args) if function in EDGES:
                found += args[EDGES[function] :][:1]
            case ast.Assign(targets=[ast.Name(id="CODES")], value=ast.Dict(values=values)):
                found += values
    literal = {said.value for said in found if isinstance(said, ast.Constant)}
    return {code for code in literal if isinstance(code, str) and re.fullmatch(r"[a-z_]+", code)}


def _read_from_environment(module_: ast.Module) -> set[str]:
    """The variables whose names are written out where the environment is read."""
    found: set[str] = set()
    for node in ast.walk(module_):
        match node:
            case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(variable)), ctx=ast.Load()):
                found.add(variable)
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr="environ"), attr="get"), args=[ast.Constant(value=str(variable)), *_]):
                found.add(variable)
            case ast.keyword(arg="envvar", value=ast.Constant(value=str(variable))):
                found.add(variable)
    return found
