"""A router function parses, makes its call and maps errors: nothing is decided in it.

What is checked of every function under `api/` that is decorated with `@router.get`, `post`, `put`, `patch` or `delete`:

- its body has at most 15 lines, the signature and the docstring not counted;
- no `if`, `while`, `match`, conditional expression or comprehension's condition in it reads a business state: an attribute
  (`row.state`) or a literal key (`row["state"]`) whose name is one of `STATE`.

A web socket's function (`@router.websocket`) is left out: it holds a connection rather than answering a request.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture.tree import Function, body_lines, functions, name, product

LINES = 15
VERBS = frozenset({"get", "post", "put", "patch", "delete"})
STATE = frozenset({
    "state", "call_state", "phase", "phase_reason", "life", "status", "outcome", "verdict", "gate", "mode", "tier", "purpose", "admission",
    "answered_by", "decided_by", "decided_at", "deadline_at", "expires_at", "revoked_at", "used_at", "wake_at", "due_at", "closed_at",
})  # fmt: skip
"""What a business decision would go by."""


def routes() -> list[tuple[Path, Function]]:
    """Every function of the API that answers a request, with its file."""
    return [(path, node) for path in product() if name(path).startswith("api/") for node in functions(path) if _answers(node)]


def test_there_are_routes() -> None:
    assert len(routes()) > 10


def test_a_router_function_has_at_most_15_lines() -> None:
    too_long = {f"{name(path)}:{node.name}": lines for path, node in routes() if (lines := body_lines(node)) > LINES}

    assert too_long == {}, "what it decides belongs into domain, what it looks up into store"


def test_a_router_function_decides_nothing_by_a_business_state() -> None:
    deciding = [f"{name(path)}:{node.name}: {read}" for path, node in routes() for read in _states_decided_by(node)]

    assert deciding == [], "the store's function knows the state under its lock; let it answer, and map the answer"


def test_a_decision_by_state_would_be_seen() -> None:
    seen = [list(_states_decided_by(function)) for function in ast.walk(ast.parse(SAMPLE)) if isinstance(function, Function)]

    assert seen == [["row.state"], ["row['phase']"], ["a.verdict"], []]


SAMPLE = """
async def by_attribute(row):
    if row.state != "pending" and row.size > 1: return 1
async def by_key(row):
    return 1 if row["phase"] else 2
def in_a_match(a):
    match a.verdict:
        case "approved": return 1
def honest(row, page):
    if row is None: raise LookupError
    return row.state
"""


def _answers(node: Function) -> bool:
    return any(
        isinstance(d, ast.Call) and isinstance(d.func, ast.Attribute) and d.func.attr in VERBS
        and isinstance(d.func.value, ast.Name) and d.func.value.id.endswith("router")
        for d in node.decorator_list
    )  # fmt: skip


def _states_decided_by(function: Function) -> Iterator[str]:
    for condition in _conditions(function):
        for node in ast.walk(condition):
            match node:
                case ast.Attribute(attr=read) if read in STATE:
                    yield ast.unparse(node)
                case ast.Subscript(slice=ast.Constant(value=str(read))) if read in STATE:
                    yield ast.unparse(node)


def _conditions(function: Function) -> Iterator[ast.AST]:
    for node in ast.walk(function):
        match node:
            case ast.If(test=test) | ast.While(test=test) | ast.IfExp(test=test):
                yield test
            case ast.Match(subject=subject):
                yield subject
            case ast.comprehension(ifs=ifs):
                yield from ifs
