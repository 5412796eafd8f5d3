"""Commands as real processes, and what their JSON has to look like."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.world import World

ROOT = Path(__file__).parents[2]
WITHIN = 60.0


@dataclass(frozen=True)
class Ran:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What it printed."""
        return self.out.splitlines()

    @property
    def body(self) -> Any:
        """What it printed as JSON."""
        return json.loads(self.out)

    @property
    def widest(self) -> int:
        """Columns of its longest line."""
        return max((len(line) for line in (self.out + self.err).splitlines()), default=0)


class Terminal:
    """A shell without a terminal, 80 columns wide, that knows an API and has a data folder of its own."""

    def __init__(self, world: World, data: Path) -> None:
        self.data = data
        self.told = {name: value for name, value in os.environ.items() if not name.startswith(("SWITCHBOARD_", "DATABASE_URL", "TEMPORAL_"))}
        self.told |= {"SWITCHBOARD_API": world.api_url, "SWITCHBOARD_KEY": world.token, "SWITCHBOARD_DATA_DIR": str(data)}
        self.told |= {"COLUMNS": "80", "PYTHONPATH": str(ROOT)}

    async def run(self, *words: str, typed: str = "", told: Mapping[str, str] | None = None) -> Ran:
        """Runs a command to its end. `told` adds to its environment; an empty value takes away."""
        environment = {name: value for name, value in {**self.told, **(told or {})}.items() if value}
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "cli", *words, cwd=self.data, env=environment,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, failed = await asyncio.wait_for(program.communicate(typed.encode()), WITHIN)
        return Ran(program.returncode or 0, said.decode(), failed.decode())


def fits(schema: Mapping[str, Any], kind: Mapping[str, Any], value: Any, where: str = "body") -> None:
    """Asserts that a value is what a part of the OpenAPI schema says, with no member more and none missing."""
    if "$ref" in kind:
        fits(schema, schema["components"]["schemas"][kind["$ref"].rpartition("/")[2]], value, where)
    elif "anyOf" in kind:
        assert any(_fits(schema, one, value) for one in kind["anyOf"]), f"{where}: {value!r} is none of {kind['anyOf']}"
    elif "enum" in kind or "const" in kind:
        assert value in kind.get("enum", [kind.get("const")]), where
    elif kind.get("type") == "array":
        assert isinstance(value, list), where
        for number, one in enumerate(value):
            fits(schema, kind.get("items", {}), one, f"{where}[{number}]")
    elif kind.get("type") == "object" and "properties" in kind:
        assert isinstance(value, dict), where
        assert set(value) == set(kind["properties"]), where
        for name, one in value.items():
            fits(schema, kind["properties"][name], one, f"{where}.{name}")
    elif "type" in kind:
        of = {"object": dict, "string": str, "integer": int, "number": int | float, "boolean": bool, "null": type(None)}[kind["type"]]
        assert isinstance(value, of), f"{where}: {value!r} is no {kind['type']}"


def _fits(schema: Mapping[str, Any], kind: Mapping[str, Any], value: Any) -> bool:
    try:
        fits(schema, kind, value)
    except AssertionError:
        return False
    return True


async def fits_the_api(world: World, method: str, path: str, body: Any) -> None:
    """Asserts that a body is what the API's own schema says of an operation's success."""
    schema = (await world.api.get("/openapi.json")).json()
    answers = schema["paths"][path][method]["responses"]
    fits(schema, next(answer for status, answer in answers.items() if status < "300")["content"]["application/json"]["schema"], body)
