"""The words of the field, and none that say nothing."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT, files, name, product, tree

NOUNS = (
    "tenant", "member", "platform_admin", "customer_admin", "customer_operator", "channel", "account", "peer", "person", "tier", "owner",
    "admitted", "guest", "blocked", "address", "conversation", "inbound", "outbound", "receipt", "binding", "admission", "route", "agent",
    "session", "turn", "step", "gate", "approval", "approver", "decision", "verdict", "grant", "pairing", "connection", "backend", "promise",
)  # fmt: skip
VERBS = (
    "link", "accept", "settle", "admit", "think", "act", "deliver", "announce", "decide", "remind", "escalate", "expire", "pause", "resume", "close",
)  # fmt: skip
SAY_NOTHING = frozenset({
    "manager", "managers", "service", "services", "handler", "handlers", "helper", "helpers", "util", "utils", "data", "info",
})  # fmt: skip
SAY_NOTHING_AS_A_VERB = frozenset({"process", "handle", "do"})
DATA_FOLDER = ("cli/", "embedded/", "settings.py", "bench/", "tests/")
"""Where `data` may be said: the promised name of the option `--data`, and of the folder it names."""
OVERRIDDEN = {"get_route_handler": "fastapi.routing.APIRoute"}
"""Names that another library gives to a method which one of ours replaces, and the class that has it."""
SPLIT = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
NAMED_IN_JAVASCRIPT = re.compile(r"\b(?:function|class|const|let|var)\s+([A-Za-z_$][\w$]*)")
FUNCTION_IN_JAVASCRIPT = re.compile(r"\bfunction\s+([A-Za-z_$][\w$]*)|\b(?:const|let)\s+([\w$]+)\s*=\s*(?:async\s*)?(?:\([^)]*\)|\w+)\s*=>")
FUNCTION_IN_SQL = re.compile(r"\bcreate\s+(?:or\s+replace\s+)?(?:function|procedure)\s+(\w+)", re.IGNORECASE)


def test_every_word_of_the_field_has_one_entry_of_one_sentence_in_the_glossary() -> None:
    entries = re.findall(r"^- \*\*(.+?)\*\* — (.+)$", (ROOT / "docs/glossary.md").read_text("utf-8"), re.MULTILINE)
    terms = [term for term, _ in entries]

    assert [word for word in (*NOUNS, *VERBS) if terms.count(word) != 1] == []
    assert [term for term, said in entries if not said.endswith(".") or ". " in said] == []


def test_no_identifier_says_manager_service_handler_helper_utils_data_or_info() -> None:
    empty = [f"{where}: {said}" for where, said in _defined() if set(_words(said)) & SAY_NOTHING and not _is_given(where, said)]

    assert empty == [], "name it for what it is or does"


@pytest.mark.parametrize(("method", "of"), OVERRIDDEN.items())
def test_a_name_that_is_excused_is_really_anothers(method: str, of: str) -> None:
    module, _, kind = of.rpartition(".")

    assert hasattr(getattr(import_module(module), kind), method)


def test_no_function_is_called_process_handle_or_do() -> None:
    empty = [f"{where}: {said}" for where, said in _functions() if next(iter(_words(said)), "") in SAY_NOTHING_AS_A_VERB]

    assert empty == [], "say what it does"


def test_no_file_is_named_for_what_says_nothing() -> None:
    assert [name(path) for path in product() if set(_words(path.stem)) & SAY_NOTHING] == []


def _defined() -> Iterator[tuple[str, str]]:
    """Every name that our code gives to something; names of others, which it only uses, are theirs."""
    for path in product():
        for node in ast.walk(tree(path)):
            if given := _given_by(node):
                yield f"{name(path)}:{getattr(node, 'lineno', 0)}", given
    for path in _written_in(".js"):
        yield from ((name(path), said) for said in NAMED_IN_JAVASCRIPT.findall(path.read_text("utf-8")))
    yield from _functions_in_sql()


def _given_by(node: ast.AST) -> str:
    match node:
        case ast.FunctionDef(name=given) | ast.AsyncFunctionDef(name=given) | ast.ClassDef(name=given):
            return given
        case ast.arg(arg=given) | ast.Name(id=given, ctx=ast.Store()) | ast.Attribute(attr=given, ctx=ast.Store()):
            return given
        case _:
            return ""


def _functions() -> Iterator[tuple[str, str]]:
    for path in product():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield f"{name(path)}:{node.lineno}", node.name
    for path in _written_in(".js"):
        for found in FUNCTION_IN_JAVASCRIPT.findall(path.read_text("utf-8")):
            yield name(path), next(filter(None, found))
    yield from _functions_in_sql()


def _functions_in_sql() -> Iterator[tuple[str, str]]:
    for path in _written_in(".sql"):
        yield from ((name(path), said) for said in FUNCTION_IN_SQL.findall(path.read_text("utf-8")))


def _written_in(suffix: str) -> list[Path]:
    return [path for path in files() if path.suffix == suffix]


def _words(identifier: str) -> list[str]:
    return [word.lower() for word in SPLIT.findall(identifier)]


def _is_given(where: str, said: str) -> bool:
    """Whether we are not free to choose: the promised `--data`, or the method of another's class."""
    return said in OVERRIDDEN or (where.startswith(DATA_FOLDER) and set(_words(said)) & SAY_NOTHING == {"data"})
