"""Names with values, as one types them: NAME=TEXT for text, NAME:=JSON for anything else."""

import json
from collections.abc import Iterable
from typing import Any

import typer


def pairs(typed: Iterable[str], option: str) -> dict[str, Any]:
    """The values by name. Raises BadParameter, naming the option."""
    found: dict[str, Any] = {}
    for pair in typed:
        name, sign, value = pair.partition("=")
        if not sign or not name.rstrip(":"):
            raise typer.BadParameter(f"{pair!r} is neither NAME=TEXT nor NAME:=JSON.", param_hint=option)
        try:
            found[name.removesuffix(":")] = json.loads(value) if name.endswith(":") else value
        except ValueError as error:
            raise typer.BadParameter(f"{value!r} is no JSON; write NAME=TEXT for plain text.", param_hint=option) from error
    return found
