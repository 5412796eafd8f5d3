"""Imports point one way. The packages are import-linter's; the modules beside them, which it cannot read, are checked here."""

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.architecture.tree import PACKAGES, ROOT, imported, name, product, tree

MAY_IMPORT = {
    "settings.py": set(),
    "traces.py": set(),
    "telemetry.py": {"traces"},
    "logs.py": {"traces"},
    "inbox.py": {"domain", "workflows", "store", "traces"},
    "parts.py": {"domain", "channels", "inbox", "settings", "store"},
    "wiring.py": {"domain", "workflows", "activities", "channels", "agents", "store", "texts", "inbox", "parts", "settings", "telemetry", "traces"},
    "worker.py": {"domain", "logs", "parts", "settings", "wiring"},
}
"""What each single module may know of the rest. `inbox` sits above workflows and store; only wiring sees everything below."""
KNOW_SETTINGS = {"parts.py", "wiring.py", "worker.py"}
OURS = {*PACKAGES, *(module.removesuffix(".py") for module in MAY_IMPORT)}
FRAMEWORKS_OF_DOMAIN = {"pydantic", "ulid", "rfc8785"}


def test_every_contract_of_the_import_linter_is_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]

    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_every_contract_is_named_as_a_sentence() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]

    names = [contract["name"] for contract in contracts]

    assert len(set(names)) == len(names) >= 10
    assert [n for n in names if len(n.split()) < 4 or not n[0].isupper() or n.endswith(".")] == []


@pytest.mark.parametrize("module", MAY_IMPORT)
def test_a_single_module_imports_only_what_lies_below_it(module: str) -> None:
    known = {full.partition(".")[0] for full in imported(ROOT / module)} & OURS

    assert known <= MAY_IMPORT[module]


def test_settings_are_imported_by_those_who_start_something_only() -> None:
    readers = {name(path) for path in product() if "settings" in imported(path)}

    assert {reader for reader in readers if not reader.startswith(("cli/", "embedded/"))} == KNOW_SETTINGS


def test_the_domain_imports_three_small_libraries_and_the_standard_library() -> None:
    modules = {full.partition(".")[0] for path in product() if name(path).startswith("domain/") for full in imported(path)}

    assert modules - set(sys.stdlib_module_names) - {"domain"} == FRAMEWORKS_OF_DOMAIN


def test_nothing_names_a_concrete_adapter() -> None:
    """Not even wiring does: it loads what the entry points name."""
    concrete = ("channels.", "agents.scripted", "agents.model", "agents.tools.")
    naming = {
        f"{name(path)}: {module}"
        for path in product()
        for module in imported(path)
        if module.startswith(concrete) and not name(path).startswith(("channels/", "agents/"))
    }

    assert naming == set()


def test_workflows_call_activities_that_exist_and_each_is_registered_once() -> None:
    called = {name_ for path in product() if name(path).startswith("workflows/") for name_ in _first_words(tree(path), {"in_store", "in_world"})}
    defined = [name_ for path in product() if name(path).startswith("activities/") for name_ in _activity_names(tree(path))]

    assert called <= set(defined)
    assert len(defined) == len(set(defined))


def test_every_activity_is_given_to_the_worker() -> None:
    methods = {node.name for path in product() if name(path).startswith("activities/") for node in _activities(tree(path))}
    given = {node.attr for node in ast.walk(tree(ROOT / "wiring.py")) if isinstance(node, ast.Attribute)}

    assert methods - given == set()


def test_no_package_is_missing_from_the_linter_or_the_wheel() -> None:
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    there = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}

    assert there == set(PACKAGES) == set(pyproject["tool"]["importlinter"]["root_packages"])
    assert {*there, *MAY_IMPORT} == set(pyproject["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])


def _first_words(module: ast.Module, functions: set[str]) -> set[str]:
    calls = (node for node in ast.walk(module) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions)
    return {str(call.args[0].value) for call in calls if isinstance(call.args[0], ast.Constant)}


def _activities(module: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in ast.walk(module) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _registered_name(node)]


def _activity_names(module: ast.Module) -> list[str]:
    return [_registered_name(node) for node in _activities(module)]


def _registered_name(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    for decorator in node.decorator_list:
        match decorator:
            case ast.Call(func=ast.Attribute(attr="defn"), keywords=[ast.keyword(arg="name", value=ast.Constant(value=str(said)))]):
                return said
    return ""
