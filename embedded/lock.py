"""Writes requirements.lock and requirements-test.lock: `.venv/bin/python embedded/lock.py`, with `--upgrade` for the newest versions."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD = "hatchling\neditables\nuv\n"
"""What the bootstrap itself needs, besides the project's dependencies."""
OPTIONS = ("--universal", "--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header", "--quiet")


def lock(*more: str) -> None:
    """Resolves both files; `more` are further options of `uv pip compile`. Raises CalledProcessError."""
    compile_ = [str(Path(sys.executable).parent / "uv"), "pip", "compile", *OPTIONS, *more]
    subprocess.run([*compile_, "pyproject.toml", "-", "-o", "requirements.lock"], cwd=ROOT, input=BUILD, text=True, check=True)
    test = ["--group", "pyproject.toml:test", "-c", "requirements.lock", "-o", "requirements-test.lock"]
    subprocess.run([*compile_, *test], cwd=ROOT, check=True)


if __name__ == "__main__":
    lock(*sys.argv[1:])
