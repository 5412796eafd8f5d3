"""`bench --quick` runs everything once over real servers, and says it as a table, as JSON and as a picture."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from embedded.running import ROOT

RATIOS = {
    "accept : bare commit over HTTP": "≤ 1.5",
    "idle reply : bare loop, two activities": "≤ 1.25",
    "turns : bare rounds, two activities": "≥ 1.2",
    "turns : bare rounds, one activity": "",
    "burst : turns": "≥ 10",
    "first reply after sleep : idle reply": "≤ 1.5",
    "first reply after sleep : its next reply": "≤ 1.5",
    "accept, many stored : few": "≤ 1.25",
    "idle reply, many stored : few": "≤ 1.25",
    "accept : bare commit, many stored : few": "≤ 1.25",
    "idle reply : bare loop, many stored : few": "≤ 1.25",
    "turns, two workers : one": "",
    "slowest reply with continue-as-new : 1.5 s": "≤ 1",
}
MAY_BE_NOTHING = {"memory per 1,000 sleeping sessions, MB", "memory per 100 sockets, MB"}
"""What so little adds may be less than what the processes give back meanwhile."""


def test_a_quick_run_measures_everything_and_leaves_nothing_running(tmp_path: Path) -> None:
    figures, picture = tmp_path / "figures.json", tmp_path / "figures.svg"
    command = [sys.executable, "-P", "-m", "cli", "bench", "--quick", "--json", str(figures), "--plot", str(picture)]

    ran = subprocess.run(command, cwd=ROOT, env=os.environ | {"NO_COLOR": "1", "COLUMNS": "80"}, capture_output=True, text=True, timeout=500)

    assert ran.returncode == 0, ran.stderr
    said = json.loads(figures.read_text("utf-8"))
    assert {name: ratio["aim"] for name, ratio in said["ratios"].items()} == RATIOS
    assert all(ratio["value"] > 0 for ratio in said["ratios"].values())
    assert {ratio["met"] for ratio in said["ratios"].values()} <= {True, False, None}
    assert said["run"]["scale"]["stored"] == 500
    assert "figures mean nothing" in ran.stdout
    assert [name for name, value in said["figures"].items() if value <= 0 and name not in MAY_BE_NOTHING] == []
    assert all(name in ran.stdout for name in RATIOS)
    words = [text.text for text in ET.fromstring(picture.read_text("utf-8")).iter("{http://www.w3.org/2000/svg}text")]
    assert set(RATIOS) <= set(words)
