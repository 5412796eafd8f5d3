"""Which backends and tools there are: entry points of two groups, ours registered the same way as anybody's."""

import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import structlog

from agents import Tool, ToolSpec
from domain.errors import NotFound

BACKENDS = "switchboard.backends"
TOOLS = "switchboard.tools"
LONGEST_COMMIT = 30.0
"""Seconds a tool may have that commits in a transaction of ours; one that stands still a little longer is ended by Postgres."""

log = structlog.get_logger(__name__)


def load(group: str) -> dict[str, Any]:
    """The classes of a group by name. One that cannot be imported is logged and left out; the others go on."""
    classes: dict[str, Any] = {}
    for entry in _entries(group):
        try:
            classes[entry.name] = entry.load()
        except Exception as error:
            log.warning("entry_point_left_out", group=group, name=entry.name, error=type(error).__name__)
    return classes


def names(group: str) -> list[str]:
    """What a group has, by name, without importing any of it."""
    return sorted({entry.name for entry in _entries(group)})


def load_tools() -> dict[str, Tool]:
    """Every tool by name. One that contradicts itself is logged and left out."""
    tools: dict[str, Tool] = {}
    for name in load(TOOLS):
        try:
            tools[name] = load_tool(name)
        except Exception as error:
            log.warning("tool_left_out", name=name, error=type(error).__name__)
    return tools


def load_tool(name: str) -> Tool:
    """One tool. Raises NotFound when there is none of that name, ValueError when it contradicts itself."""
    entry = next((entry for entry in _entries(TOOLS) if entry.name == name), None)
    if entry is None:
        raise NotFound(f"There is no tool named {name}.")
    tool: Tool = entry.load()()
    if tool.name != name:
        raise ValueError(f"the tool registered as {name} calls itself {tool.name}")
    if tool.commits and tool.runs_in == "process":
        raise ValueError(f"{name} commits to our Postgres, which a process of its own cannot")
    if tool.commits and tool.timeout > LONGEST_COMMIT:
        raise ValueError(f"{name} commits to our Postgres, where it would hold its locks longer than {LONGEST_COMMIT:g} seconds")
    return tool


def specs(tools: Iterable[Tool]) -> tuple[ToolSpec, ...]:
    """The tools as a backend sees them."""
    return tuple(
        ToolSpec(name=tool.name, description=tool.description, parameters=tool.arguments.model_json_schema(mode="validation")) for tool in tools
    )


def _entries(group: str) -> Iterator[EntryPoint]:
    """The entry points installed, and our own from pyproject.toml where Switchboard runs from its folder uninstalled."""
    installed = list(entry_points(group=group))
    yield from installed
    seen = {entry.name for entry in installed}
    for name, value in _own(group).items():
        if name not in seen:
            yield EntryPoint(name=name, value=value, group=group)


def _own(group: str) -> dict[str, str]:
    ours = Path(__file__).resolve().parent.parent / "pyproject.toml"
    if not ours.is_file():
        return {}
    with ours.open("rb") as file:
        project = tomllib.load(file).get("project", {})
    return dict(project["entry-points"].get(group, {})) if project.get("name") == "switchboard" else {}
