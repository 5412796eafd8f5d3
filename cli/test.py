"""`test`: lint, types, import directions, what is known against dependencies, and tests, in that order, all of them even when one fails."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import typer

from cli.advisories import ask
from cli.output import Steps, out

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
BIN = Path(sys.executable).parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIDE_BY_SIDE = ("-n", "3", "--dist", "loadfile", "--reruns", "1", "-rfER")
"""Files of tests run side by side, each worker over servers of its own: most of a test is waiting. On a machine that is busy with other
things a test may run out of patience: it gets a second chance, and the summary says so (R)."""
CHECKS = {
    "lint": [str(BIN / "ruff"), "check", "."],
    "types": [sys.executable, "-m", "mypy"],
    "import directions": [str(BIN / "lint-imports")],
}


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def test(context: typer.Context) -> None:
    """Check everything; further arguments go to pytest."""
    steps = Steps(out)
    _install_browser(steps)
    failed = [name for name, command in CHECKS.items() if not _passes(steps, name, command)]
    if not _is_clean(steps):
        failed.append("dependencies")
    if not _passes(steps, "tests", [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *context.args], shown=True):
        failed.append("tests")
    steps.line(f"Failed: {', '.join(failed)}." if failed else "All green.")
    raise typer.Exit(1 if failed else 0)


def _passes(steps: Steps, name: str, command: list[str], *, shown: bool = False) -> bool:
    """Runs one check; what it says is shown while it runs, or only when it fails."""
    began = time.monotonic()
    if shown:
        steps.line(f"  · {name}")
        said, code = b"", subprocess.run(command, cwd=ROOT).returncode
    else:
        said, code = _run_quietly(steps, name, command)
    (steps.failed if code else steps.done)(name, time.monotonic() - began)
    if code and said:
        steps.line(said.decode("utf-8", "replace").rstrip())
    return code == 0


def _is_clean(steps: Steps) -> bool:
    """What is publicly known against the locked packages; where nobody can be asked that is said, and fails nothing."""
    began = time.monotonic()
    known = ask(LOCK)
    if known.audited:
        (steps.failed if known.findings else steps.done)("dependencies", time.monotonic() - began)
    steps.note("\n".join((f"Advisories on dependencies: {known.words()}.", *known.findings)))
    return not known.findings


def _run_quietly(steps: Steps, name: str, command: list[str]) -> tuple[bytes, int]:
    running = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    while True:
        try:
            said, _ = running.communicate(timeout=0.1)
            return said, running.returncode
        except subprocess.TimeoutExpired:
            steps.waiting(name)


def _install_browser(steps: Steps) -> None:
    """Debian's chromium, where the browser tests find none and we may install it."""
    if any(shutil.which(name) for name in BROWSERS):
        return
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        steps.note("The browser tests need Chromium, which is missing here; install it (Debian, Ubuntu: apt install chromium).")
        return
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    _passes(steps, "package lists", ["apt-get", "update", "-q"])
    _passes(steps, "chromium", ["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"])
