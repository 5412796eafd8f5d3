"""The documentation as the tests read it: pages, the blocks of code in them, their links and headings."""

import re
from dataclasses import dataclass
from pathlib import Path

from tests.architecture.tree import ROOT, files

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
NAMED = re.compile(r"^# (\S+\.\w+)\n")


@dataclass(frozen=True)
class Block:
    """A block of code: its language, its text, and the file that its first line names, if it names one."""

    language: str
    text: str
    file: str


def pages() -> list[Path]:
    """Every page of the documentation."""
    return [path for path in files() if path.suffix == ".md"]


def blocks(page: Path) -> list[Block]:
    """The blocks of code of a page, in order."""
    found = BLOCK.findall(page.read_text("utf-8"))
    return [Block(language, text, named[1] if (named := NAMED.match(text)) else "") for language, text in found]


def prose(page: Path) -> str:
    """A page without its blocks of code."""
    return BLOCK.sub("", page.read_text("utf-8"))


def anchors(page: Path) -> set[str]:
    """What a link into a page may name: each heading as the usual renderers name it."""
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in HEADING.findall(prose(page))}


def commands(page: Path) -> list[list[str]]:
    """Every command line of ours that a page names, in words, comments left out."""
    in_blocks = [line for block in blocks(page) if block.language in ("sh", "") for line in block.text.splitlines()]
    said = [line.partition(" #")[0].strip() for line in in_blocks] + re.findall(r"`([^`\n]+)`", prose(page))
    return [line.split()[1:] for line in said if line.split()[:1] == ["./switchboard"]]


def in_repository(page: Path, link: str) -> Path:
    """Where a relative link leads."""
    return (page.parent / link.partition("#")[0]).resolve() if link.partition("#")[0] else page


__all__ = ["LINK", "ROOT", "Block", "anchors", "blocks", "commands", "in_repository", "pages", "prose"]
