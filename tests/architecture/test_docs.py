"""The documentation speaks of what is there: files, commands, addresses, and decisions of one form."""

import json
import re
import struct
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

from api.app import create_app
from cli import COMMANDS
from tests.architecture.containers import services
from tests.architecture.pages import LINK, ROOT, anchors, blocks, commands, in_repository, pages, prose
from tests.architecture.tree import files, name

DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
CALL = re.compile(r"`(?:(GET|POST|PUT|PATCH|DELETE|WS) )(/[\w/{}.…-]*)(?:\?[^`]*)?`")
SPAN = re.compile(r"`([^`\n]+)`")
OWN = "tests/architecture/test_docs.py"
SECTIONS = ["Context", "Decision", "Consequences"]
HALF_A_PAGE = 450
"""Words."""


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    inward = [link for link in LINK.findall(prose(page)) if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in inward if not in_repository(page, link).exists()] == []
    to_headings = [(in_repository(page, link), link.partition("#")[2]) for link in inward if "#" in link]
    assert [anchor for target, anchor in to_headings if anchor not in anchors(target)] == []


def test_every_picture_is_one() -> None:
    shown = {in_repository(page, link) for page in pages() for link in LINK.findall(prose(page)) if link.endswith(".png")}

    for picture in shown:
        head = picture.read_bytes()[:24]
        width, height = struct.unpack(">II", head[16:])
        assert head.startswith(b"\x89PNG")
        assert width >= 800
        assert height >= 400


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_that_is_named_exists_with_its_options(page: Path) -> None:
    for words in commands(page):
        command, *rest = words
        assert command in COMMANDS, f"./switchboard {command}"
        if command == "test":
            continue
        known = {option for param in _leaf(command, rest).params for option in (*param.opts, *param.secondary_opts)}
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= known, f"./switchboard {' '.join(words)}"


@pytest.mark.parametrize("page", pages(), ids=name)
def test_every_command_of_compose_names_a_service_of_ours_and_a_command_of_it(page: Path) -> None:
    for line in re.findall(r"docker compose run --rm ([^\n`#]+)", page.read_text("utf-8")):
        service, command = line.split()[:2]
        assert service in services()
        assert command in COMMANDS


def test_every_module_that_is_run_by_name_can_be_run() -> None:
    named = {found for page in pages() for found in re.findall(r"python -m ([\w.]+)", page.read_text("utf-8"))}

    assert named
    assert [module for module in named if not (ROOT / f"{module.replace('.', '/')}.py").exists()] == []


def test_every_address_that_is_named_is_in_the_api() -> None:
    paths = create_app(lambda: pytest.fail("nothing is opened here")).openapi()["paths"]
    there = {(method.upper(), _shape(path)) for path, methods in paths.items() for method in methods}
    named = {(method, _shape(path)) for page in pages() for method, path in CALL.findall(prose(page)) if method != "WS"}

    assert named - there == set()


def test_every_file_or_folder_that_is_named_as_code_exists() -> None:
    tops = {path.name for path in ROOT.iterdir()}
    named = {
        (name(page), word)
        for page in pages()
        for word in re.findall(r"`([\w.-]+/[\w./-]*|[\w-]+\.(?:py|toml|lock|yml|md))`", prose(page))
        if word.partition("/")[0] in tops
    }
    examples = {block.file for page in pages() for block in blocks(page) if block.file}

    assert [(page, word) for page, word in named if not (ROOT / word).exists() and word not in examples and not _is_suggested(word)] == []


def test_every_name_of_the_code_that_is_mentioned_is_in_the_code() -> None:
    """Names with an underscore, such as those of functions, columns and fields; what a page's own examples define is theirs."""
    code = "\n".join(path.read_text("utf-8") for path in files() if path.suffix in (".py", ".sql", ".toml", ".yml") and name(path) != OWN)
    words = set(re.findall(r"\w+", code + "\n".join(block.text for page in pages() for block in blocks(page))))
    named = {(name(page), word) for page in pages() for span in SPAN.findall(prose(page)) for word in re.findall(r"[a-z]+(?:_[a-z]+)+", span)}

    assert {(page, word) for page, word in named if word not in words} == set()


def test_every_block_of_json_is_json() -> None:
    for page in pages():
        for block in blocks(page):
            if block.language == "json":
                json.loads(block.text)


def test_a_decision_has_the_three_sections_and_half_a_page() -> None:
    numbers = [int(path.name[:4]) for path in DECISIONS]

    assert numbers == list(range(1, len(numbers) + 1))
    for path in DECISIONS:
        text = path.read_text("utf-8")
        assert re.match(rf"# {path.name[:4]}\. [A-Z].*[^.]\n", text), name(path)
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS, name(path)
        assert len(text.split()) <= HALF_A_PAGE, name(path)


def test_every_decision_is_in_the_list_under_its_title() -> None:
    listed = (ROOT / "docs/decisions/README.md").read_text("utf-8")

    titles = {path.name: path.read_text("utf-8").partition("\n")[0].removeprefix("# ") for path in DECISIONS}

    assert re.findall(r"^- \[(.+)\]\((.+)\)$", listed, re.MULTILINE) == [(title, file) for file, title in titles.items()]


def test_the_licence_is_the_one_that_is_declared() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")

    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert text.count("END OF TERMS AND CONDITIONS") == 1
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text("utf-8")


def _leaf(command: str, rest: list[str]):  # type: ignore[no-untyped-def] # click's own types are of no help here
    """The command that a line calls: one of a group where the next word names one."""
    found = get_command(import_module(f"cli.{command.replace('-', '_')}").app)
    for word in rest:
        found = getattr(found, "commands", {}).get(word, found)
    return found


def _shape(path: str) -> str:
    """A path whatever its parameters are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def _is_suggested(word: str) -> bool:
    """A place where a reader would put something of their own, in the words of the page that says so."""
    contributing = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    return any(f"{would} `{word}`" in contributing for would in ("would be", "is a folder"))
