"""The code that issues a workflow's commands: what a run of an earlier version is replayed against, and so what may not change under it.

It is found from the workflow's class: its `run`, its signals and its state, and every function and constant of `workflows` and `domain`
that these use, however far away. What issues no command is left out, so that it may be changed freely: docstrings, types, queries, details and
summaries that people read, and plain records of domain, whose old forms the recorded histories hold.
"""

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.architecture.tree import ROOT, tree

PACKAGES = ("workflows", "domain")
FOR_PEOPLE = frozenset({"summary", "timeout_summary", "set_current_details"})
"""Arguments and calls that only people read; a replay does not look at them."""
TYPES_ONLY = frozenset({"annotation", "returns", "type_comment", "type_params", "kind", "ctx"})
COMMANDS = frozenset({"workflow.patched", "workflow.deprecate_patch"})

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Piece:
    """One definition of that code, in its file."""

    file: Path
    name: str
    node: Definition


@cache
def workflows() -> dict[str, Piece]:
    """Every workflow's class, by its name."""
    found = {}
    for file in sorted((ROOT / "workflows").glob("*.py")):
        for node in tree(file).body:
            if isinstance(node, ast.ClassDef) and any("workflow.defn" in ast.unparse(mark) for mark in node.decorator_list):
                found[node.name] = Piece(file, node.name, node)
    return found


@cache
def pieces(workflow: str) -> tuple[Piece, ...]:
    """All of a workflow's command-issuing code, its class first."""
    found = {workflow: workflows()[workflow]}
    waiting = [found[workflow]]
    while waiting:
        piece = waiting.pop()
        for used in _used(piece):
            key = f"{used.file}:{used.name}"
            if key not in found and used.name != workflow:
                found[key] = used
                waiting.append(used)
    return tuple(found.values())


def fingerprint(workflow: str) -> str:
    """One hash of a workflow's command-issuing code: another one means that runs of before may not fit it."""
    first, *others = pieces(workflow)
    parts = [_canonical(first.node), *sorted(f"{piece.name}={_canonical(piece.node)}" for piece in others)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def patches(workflow: str) -> set[str]:
    """The ids of the patches that a workflow's code asks for, or still notes although no old run needs them any more."""
    calls = [node for piece in pieces(workflow) for node in ast.walk(piece.node) if isinstance(node, ast.Call)]
    return {str(call.args[0].value) for call in calls if ast.unparse(call.func) in COMMANDS and isinstance(call.args[0], ast.Constant)}


def statements(workflow: str) -> Iterator[tuple[Path, ast.stmt]]:
    """Every statement of that code which runs when commands are decided; a compound one stands for its first line."""
    for piece in pieces(workflow):
        if isinstance(piece.node, ast.Assign | ast.AnnAssign):
            continue
        for function in _methods(piece.node) if isinstance(piece.node, ast.ClassDef) else [piece.node]:
            yield from ((piece.file, node) for node in ast.walk(function) if isinstance(node, ast.stmt) and node is not function and _runs(node))


def _runs(node: ast.stmt) -> bool:
    return not isinstance(node, ast.Pass | ast.Try | ast.Nonlocal | ast.Global) and not _is_prose(node) and not _is_for_people(node)


def _used(piece: Piece) -> Iterator[Piece]:
    """What a piece names of its own module, and of ours that the module imports."""
    module = tree(piece.file)
    defined = {name: node for node in module.body for name in _names(node)}
    for name in _mentioned(piece.node):
        if name in defined:
            node = defined[name]
            if isinstance(node, ast.ImportFrom):
                yield from _imported(node, name)
            elif isinstance(node, Definition) and _decides(node):
                yield Piece(piece.file, name, node)


def _imported(node: ast.ImportFrom, name: str) -> Iterator[Piece]:
    if not node.module or node.module.partition(".")[0] not in PACKAGES:
        return
    file = ROOT / f"{node.module.replace('.', '/')}.py"
    original = next(alias.name for alias in node.names if name in (alias.asname, alias.name))
    for found in tree(file).body:
        if original in _names(found) and isinstance(found, Definition) and _decides(found):
            yield Piece(file, original, found)


def _names(node: ast.stmt) -> list[str]:
    match node:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
        case ast.AnnAssign(target=ast.Name(id=name)):
            return [name]
        case ast.ImportFrom(names=names):
            return [alias.asname or alias.name for alias in names]
        case _:
            return []


def _decides(node: Definition) -> bool:
    """Not a plain record: such a one may grow, and the recorded histories hold its old forms."""
    return not isinstance(node, ast.ClassDef) or any(isinstance(part, Function) for part in node.body)


def _mentioned(node: ast.AST) -> set[str]:
    return {name.id for name in _walk(node) if isinstance(name, ast.Name)}


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    for _, child in _children(node):
        if isinstance(child, ast.AST):
            yield from _walk(child)


def _canonical(node: object) -> str:
    """A syntax tree as text that no version of Python writes differently."""
    if not isinstance(node, ast.AST):
        return repr(node)
    return f"{type(node).__name__}({','.join(f'{field}={_canonical(child)}' for field, child in _children(node))})"


def _children(node: ast.AST) -> Iterator[tuple[str, object]]:
    """What counts of a node, in order: no prose, no types, nothing that is for people only."""
    for field, value in ast.iter_fields(node):
        if field in TYPES_ONLY or value is None:
            continue
        children = value if isinstance(value, list) else [value]
        if isinstance(node, ast.ClassDef) and field == "body":
            kept = _methods(node)
            children = [child for child in children if not isinstance(child, Function) or child in kept]
        yield from ((field, child) for child in children if not (_is_prose(child) or _is_for_people(child)))


def _methods(node: ast.ClassDef) -> list[Function]:
    """The methods that something else than a query or a summary calls: those with a mark of Temporal's, and what they use."""
    methods = {part.name: part for part in node.body if isinstance(part, Function)}
    marked = any("workflow.defn" in ast.unparse(mark) for mark in node.decorator_list)
    waiting = [name for name, part in methods.items() if not marked or name == "__init__" or (part.decorator_list and not _is_query(part))]
    found: list[str] = []
    while waiting:
        name = waiting.pop()
        if name in methods and name not in found:
            found.append(name)
            waiting += [part.attr for part in _walk(methods[name]) if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "self"]
    return [part for name, part in methods.items() if name in found]


def _is_prose(node: object) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def _is_for_people(node: object) -> bool:
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) | ast.keyword(arg=str(name)):
            return name in FOR_PEOPLE
        case _:
            return False


def _is_query(node: Function) -> bool:
    return any(ast.unparse(mark).startswith("workflow.query") for mark in node.decorator_list)
