"""Writes the tables of docs/settings.md and docs/errors.md from the code: `.venv/bin/python -m docs.tables`.

What stands between the two marks of a table is replaced; the prose around it is written by hand.
"""

import ast
import inspect
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from domain.errors import SwitchboardError
from settings import Settings

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- table: written by docs/tables.py -->", "<!-- end of the table -->"
BETWEEN = re.compile(re.escape(BEGIN) + r".*?" + re.escape(END), re.DOTALL)


def variable(name: str, field: FieldInfo) -> str:
    """The environment variable of a setting."""
    return str(field.validation_alias) if field.validation_alias else f"{Settings.model_config.get('env_prefix', '')}{name}".upper()


def variables() -> dict[str, str]:
    """Every setting's name by its environment variable."""
    return {variable(name, field): name for name, field in Settings.model_fields.items()}


def sentences() -> dict[str, str]:
    """What settings.py says of each setting: the string below it."""
    body = next(node.body for node in ast.parse(inspect.getsource(Settings)).body if isinstance(node, ast.ClassDef))
    said: dict[str, str] = {}
    for node, below in pairwise(body):
        match node, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                said[name] = " ".join(text.split())
    return said


def settings_table() -> str:
    """One row a setting, in the order of settings.py."""
    said = sentences()
    rows = [f"| `{variable(name, field)}` | {_default(field.default)} | {said[name]} |" for name, field in Settings.model_fields.items()]
    return "\n".join(["| variable | default | what it is |", "| --- | --- | --- |", *rows])


def errors() -> Iterator[type[SwitchboardError]]:
    """Every error that a person or a program can meet, in the order of domain/errors.py."""
    found: dict[str, type[SwitchboardError]] = {}

    def collect(kind: type[SwitchboardError]) -> None:
        found[kind.__name__] = kind
        for child in kind.__subclasses__():
            collect(child)

    collect(SwitchboardError)
    ours = (kind for kind in found.values() if kind.__module__ == SwitchboardError.__module__)
    yield from sorted(ours, key=lambda kind: inspect.getsourcelines(kind)[1])


def errors_table() -> str:
    """One row a code."""
    rows = [
        f"| `{kind.code}` | {kind.status} | {'yes' if kind.retryable else 'no'} | {' '.join((kind.__doc__ or '').split())} |" for kind in errors()
    ]
    return "\n".join(["| code | HTTP status | trying again helps | what it says |", "| --- | --- | --- | --- |", *rows])


TABLES = {"settings.md": settings_table, "errors.md": errors_table}


def with_table(text: str, table: str) -> str:
    """A page with its table replaced. Raises ValueError when the page has no place for one."""
    if not BETWEEN.search(text):
        raise ValueError(f"the page has no place for a table: {BEGIN} … {END}")
    return BETWEEN.sub(lambda _: f"{BEGIN}\n{table}\n{END}", text)


def _default(value: Any) -> str:
    shown = value.get_secret_value() if isinstance(value, SecretStr) else value
    if isinstance(shown, float) and shown == int(shown):
        shown = int(shown)
    return f"`{shown}`" if str(shown) else "none"


if __name__ == "__main__":
    for page, table in TABLES.items():
        path = HERE / page
        path.write_text(with_table(path.read_text("utf-8"), table()), "utf-8")
