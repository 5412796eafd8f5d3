"""Records the runs of a changed workflow: `.venv/bin/python -m tests.replay.record`.

    --marker ID   command-issuing code changed: ID is the workflow.patched that keeps old runs going, or the version of the release
    --again       what was recorded last was never released: record it anew, under the same marker
    (nothing)     add the paths that are not recorded yet

What earlier markers recorded stays, and is replayed for as long as a run of theirs may be alive.
"""

import argparse
import json
import shutil
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architecture.tree import ROOT
from tests.replay.command_code import fingerprint, patches, workflows
from tests.replay.histories import FOLDER, place
from tests.replay.recorder import Recorder

FINGERPRINTS = Path(__file__).parent / "fingerprints.json"
Versions = dict[str, list[dict[str, str]]]


class Refused(Exception):
    """Nothing is recorded; the message says what to do first."""


def known() -> Versions:
    """Per workflow, oldest first: each marker with the fingerprint of the code that it covers."""
    found: Versions = json.loads(FINGERPRINTS.read_text("utf-8")) if FINGERPRINTS.exists() else {}
    return {workflow: found.get(workflow, []) for workflow in workflows()}


def changed(versions: Versions) -> list[str]:
    """The workflows whose command-issuing code is another than what was recorded last."""
    return [name for name, said in versions.items() if not said or said[-1]["sha256"] != fingerprint(name)]


def covers(workflow: str, marker: str) -> bool:
    """Whether the marker tells old runs from new ones: a patch in the workflow's code, or the version that is built."""
    built = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return marker in patches(workflow) or marker == built


def marked(versions: Versions, marker: str, *, again: bool) -> Versions:
    """The versions with an entry for every workflow that changed. Raises Refused."""
    found = {name: list(said) for name, said in versions.items()}
    for name in changed(versions):
        chosen = found[name].pop()["marker"] if again and found[name] else marker
        if not chosen:
            raise Refused(f"{name} changed: add workflow.patched to it, or raise the version in pyproject.toml, and name that with --marker.")
        if any(entry["marker"] == chosen for entry in found[name]):
            raise Refused(f"{name}: {chosen} covers older code already; add workflow.patched with another id, or raise the version.")
        if not covers(name, chosen):
            raise Refused(f"{name}: {chosen} is neither the id of a workflow.patched in its code nor the version in pyproject.toml.")
        found[name].append({"marker": chosen, "sha256": fingerprint(name)})
    return found


def record(markers: Mapping[str, str]) -> list[Path]:
    """Goes every path and writes the runs that are new; returns their files. Raises Refused when a path fails."""
    recorder = Recorder(FOLDER, markers)
    paths = str(Path(__file__).parent / "scenarios.py")
    if pytest.main([paths, "-q", "-p", "no:cacheprovider", "-p", "no:logging", "--no-header"], plugins=[_Named(recorder)]):
        raise Refused("A path failed; nothing is noted. Mend it and record again.")
    return recorder.written


class _Named:
    """Hands the recorder to the fixture that asks for it."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def pytest_configure(self, config: pytest.Config) -> None:
        """Under the name by which it is asked for."""
        config.pluginmanager.register(self._recorder, "recorder")


def main() -> str:
    """The command. Returns what to say at the end."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--marker", default="")
    parser.add_argument("--again", action="store_true")
    wanted = parser.parse_args()
    before = known()
    try:
        versions = marked(before, wanted.marker, again=wanted.again)
        if wanted.again:
            for name in changed(before):
                shutil.rmtree(place(FOLDER, name, versions[name][-1]["marker"]), ignore_errors=True)
        written = record({name: said[-1]["marker"] for name, said in versions.items()})
    except Refused as refused:
        return str(refused)
    FINGERPRINTS.write_text(json.dumps(versions, indent=2) + "\n", "utf-8")
    sys.stdout.write("".join(f"recorded {file.relative_to(FOLDER)}\n" for file in written))
    return ""


if __name__ == "__main__":
    sys.exit(main())
