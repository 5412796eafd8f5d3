"""Takes the runs of a recording and writes those of new paths."""

from collections.abc import Mapping
from pathlib import Path

from temporalio.client import WorkflowHistory

from tests.replay.histories import place, shape, write
from tests.workflows.histories import Run


class Recorder:
    """Writes each shape of run once, under the first path that has it; what is there already is never replaced.

    `markers` names, per workflow, what its code is recorded under.
    """

    def __init__(self, folder: Path, markers: Mapping[str, str]) -> None:
        self._folder, self._markers = folder, markers
        self._shapes: set[tuple[str, str]] = set()
        self._there = {file for workflow, marker in markers.items() for file in place(folder, workflow, marker).glob("*.json.gz")}
        self.written: list[Path] = []

    def take(self, run: Run, path: str) -> None:
        """One run of a path."""
        key = (run.kind, shape(run.events))
        if run.kind not in self._markers or key in self._shapes:
            return
        self._shapes.add(key)
        folder = place(self._folder, run.kind, self._markers[run.kind])
        if folder / f"{path}.json.gz" in self._there:
            return
        file = next(one for n in range(1, 1000) if not (one := folder / f"{path}{'' if n == 1 else f'-{n}'}.json.gz").exists())
        write(file, WorkflowHistory(run.execution.id, run.events))
        self.written.append(file)
