"""Every channel, backend, tool and command that is named can be had, and every one that is there is named."""

import tomllib
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel

from agents.registry import BACKENDS, TOOLS, load, load_tools
from cli import COMMANDS
from tests.architecture.tree import ROOT, name, product
from wiring import CHANNELS, channels

ENTRY_POINTS: dict[str, dict[str, str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
GROUPS = (CHANNELS, BACKENDS, TOOLS)


def test_the_groups_are_the_three_that_the_code_reads() -> None:
    assert set(ENTRY_POINTS) == set(GROUPS)


@pytest.mark.parametrize(("group", "entry"), [(group, entry) for group in GROUPS for entry in ENTRY_POINTS[group]])
def test_an_entry_point_names_a_class_of_that_name(group: str, entry: str) -> None:
    module, _, attribute = ENTRY_POINTS[group][entry].partition(":")

    found: Any = getattr(import_module(module), attribute)

    assert found.name == entry
    assert load(group)[entry] is found


def test_every_tool_that_is_registered_is_loaded() -> None:
    assert set(load_tools()) == set(ENTRY_POINTS[TOOLS])


def test_every_file_of_tools_is_registered() -> None:
    written = {path.stem for path in product() if name(path).startswith("agents/tools/")} - {"__init__"}

    assert {value.partition(":")[0].rpartition(".")[2] for value in ENTRY_POINTS[TOOLS].values()} == written


def test_every_folder_of_a_channel_is_registered() -> None:
    written = {path.parent.name for path in ROOT.glob("channels/*/__init__.py")}

    assert {value.partition(":")[0].rpartition(".")[2] for value in ENTRY_POINTS[CHANNELS].values()} == written


@pytest.mark.parametrize("channel", channels().values(), ids=lambda channel: channel.name)
def test_a_channel_keeps_the_contract(channel: Any) -> None:
    assert channel.title
    assert issubclass(channel.settings, BaseModel)
    assert issubclass(channel.secrets, BaseModel)
    assert {type(channel.commit_delivers), type(channel.streams)} == {bool}
    assert channel.chunk > 0
    assert channel.debounce >= 0
    assert callable(channel.send)
    assert callable(channel.recognises_repeats)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_command_line_has_a_module(command: str) -> None:
    assert import_module(f"cli.{command.replace('-', '_')}").app
