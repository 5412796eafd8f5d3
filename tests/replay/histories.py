"""Recorded histories as files: which there are, how one is read, and how one is written without anything of the machine that recorded it."""

import base64
import gzip
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import WorkflowHistory

FOLDER = Path(__file__).parent / "histories"
DROPPED = frozenset({"stackTrace", "workerVersion", "buildId"})


@dataclass(frozen=True)
class Recorded:
    """One file: `histories/<workflow>/<marker>/<path>.json.gz`, recorded from the code that the marker names."""

    file: Path

    @property
    def workflow(self) -> str:
        """The class of the workflow."""
        return f"{self.file.parent.parent.name.capitalize()}Workflow"

    @property
    def marker(self) -> str:
        """The version of the code it was recorded from."""
        return self.file.parent.name

    @property
    def name(self) -> str:
        """As people name it: workflow, marker and path."""
        return "/".join((*self.file.parts[-3:-1], self.file.name.removesuffix(".json.gz")))

    def text(self) -> str:
        """The history as JSON."""
        return gzip.decompress(self.file.read_bytes()).decode("utf-8")

    def history(self) -> WorkflowHistory:
        """The history, to be replayed."""
        return WorkflowHistory.from_json(self.name, self.text())


def recorded(folder: Path = FOLDER) -> list[Recorded]:
    """Every recorded history."""
    return [Recorded(file) for file in sorted(folder.glob("*/*/*.json.gz"))]


def place(folder: Path, workflow: str, marker: str) -> Path:
    """Where the histories of a workflow are that were recorded under a marker."""
    return folder / workflow.removesuffix("Workflow").lower() / marker


def shape(events: list[HistoryEvent]) -> str:
    """What happened, without ids and times: two runs of one shape are one path."""
    return " ".join(f"{event.event_type}{event.activity_task_scheduled_event_attributes.activity_type.name}" for event in events)


def write(file: Path, history: WorkflowHistory) -> None:
    """Writes a history, the same bytes for the same history."""
    file.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_without(json.loads(history.to_json())), separators=(",", ":"))
    worker = re.compile(rf"\d+@{re.escape(socket.gethostname())}")
    file.write_bytes(gzip.compress(worker.sub("worker", text).encode(), mtime=0))


def words(node: Any) -> Iterator[str]:
    """Every string anywhere in a history, those inside payloads decoded."""
    match node:
        case {"metadata": _, "data": str(data)}:
            yield from words(json.loads(base64.b64decode(data)))
        case dict():
            for value in node.values():
                yield from words(value)
        case list():
            for value in node:
                yield from words(value)
        case str():
            yield node
        case _:
            pass


def _without(node: Any) -> Any:
    match node:
        case dict():
            return {key: _without(value) for key, value in node.items() if key not in DROPPED}
        case list():
            return [_without(value) for value in node]
        case _:
            return node
