"""The tour is a promise to newcomers: it has to end well, also on a busy machine."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_tour_ends_with_one_refund_and_leaves_nothing_behind(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-P", "-m", "cli", "tour"], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=170,
        env={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "TMPDIR": str(tmp_path), "COLUMNS": "80"},
    )  # fmt: skip

    assert ran.returncode == 0, ran.stderr
    assert "demo_refunds has 1 row of 25: paid once" in ran.stdout.replace("\n", " ").replace("  ", " ")
    assert "was approved and paid" in ran.stdout
    assert list(tmp_path.iterdir()) == []
