"""The repository as the tests of its shape read it: its files, their syntax trees, and the names in them."""

import ast
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("domain", "workflows", "activities", "channels", "agents", "store", "api", "cli", "embedded", "texts")
MODULES = ("settings.py", "parts.py", "inbox.py", "wiring.py", "worker.py", "logs.py", "traces.py", "telemetry.py")
LEFT_OUT = frozenset({"__pycache__", "node_modules", "dist"})
"""Folders that are made, not written; so are those whose names begin with a dot, but for `.ci`."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def files() -> tuple[Path, ...]:
    """Every file somebody wrote, in order."""
    found: list[Path] = []
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(name for name in folders if name == ".ci" or not (name in LEFT_OUT or name.startswith(".") or name.endswith(".egg-info")))
        found += [Path(folder) / name for name in sorted(names)]
    return tuple(found)


@cache
def product() -> tuple[Path, ...]:
    """Every Python file of the product: the packages and the single modules beside them."""
    return tuple(path for path in files() if path.suffix == ".py" and (name(path) in MODULES or path.relative_to(ROOT).parts[0] in PACKAGES))


def name(path: Path) -> str:
    """A file as people name it: relative to the repository."""
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text("utf-8"), filename=name(path))


def functions(path: Path) -> Iterator[Function]:
    """Every function and method of a file, also those inside others."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, Function))


def imported(path: Path) -> set[str]:
    """The modules a file imports, in full, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        match node:
            case ast.Import(names=names):
                found |= {alias.name for alias in names}
            case ast.ImportFrom(module=str(module), level=0):
                found.add(module)
    return found


def body_lines(function: Function) -> int:
    """How many lines a function's body takes, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function, clean=False) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
