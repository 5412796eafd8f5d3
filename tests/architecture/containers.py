"""Dockerfile, docker-compose.yml and .env.example as the tests read them: Docker's own programs are not needed."""

import re
from dataclasses import dataclass
from typing import Any

import yaml

from tests.architecture.tree import ROOT

SUBSTITUTED = re.compile(r"(?<!\$)\$\{(\w+)(:?[-?][^}]*)?\}")


@dataclass(frozen=True)
class Instruction:
    """One instruction of a Dockerfile, its lines joined."""

    word: str
    rest: str


def dockerfile() -> list[Instruction]:
    """The instructions, in order."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = [line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines() if line.strip()]
    return [Instruction(*line.split(None, 1)) for line in lines]


def compose() -> dict[str, Any]:
    """The whole of docker-compose.yml."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return loaded


def services() -> dict[str, dict[str, Any]]:
    """The services by name."""
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def ours() -> dict[str, dict[str, Any]]:
    """The services that run our image."""
    return {name: service for name, service in services().items() if "build" in service}


def script(service: str) -> str:
    """What a service's shell or healthcheck is given, as it is after Compose has read it."""
    return str(services()[service]["command"][0]).replace("$$", "$")


def asked_of_the_environment() -> dict[str, str]:
    """Every variable that Compose takes from `.env`, with what follows its name: `?` where it has to be there."""
    text = re.sub(r"^\s*#.*$", "", (ROOT / "docker-compose.yml").read_text("utf-8"), flags=re.MULTILINE)
    return {name: rest or "" for name, rest in SUBSTITUTED.findall(text)}


def example() -> dict[str, str]:
    """The variables of .env.example with their values."""
    lines = (ROOT / ".env.example").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
