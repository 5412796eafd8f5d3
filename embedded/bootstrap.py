"""Builds .venv from the lock files where it is missing or out of date, then becomes the command line.

Run by `switchboard` with whatever Python the machine has, so it uses the standard library only.
"""

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
BUILT = VENV / ".built"
"""What the environment was built from, in JSON; there only when it is complete."""
BUILDING = VENV / ".building"
"""There while it is built; found at a start, it means that a build was cut off."""
LOG = VENV / "build.log"
LOCK, TEST_LOCK = ROOT / "requirements.lock", ROOT / "requirements-test.lock"


class Refused(Exception):
    """The environment cannot be built; the message says what to mend."""


def main(arguments: list[str]) -> None:
    """Becomes `python -m cli` with these arguments."""
    test = arguments[:1] == ["test"]
    try:
        if not complete(test):
            with alone():
                if not complete(test):
                    build(test)
    except Refused as refused:
        sys.exit(str(refused))
    except PermissionError as error:
        sys.exit(f"{error.filename or VENV} cannot be written by this user; start as the user who owns it, or use a copy of your own.")
    except KeyboardInterrupt:
        sys.exit("Stopped; the next start builds it anew.")
    for name in ("PYTHONPATH", "PYTHONHOME"):  # they could put other modules in front of ours
        os.environ.pop(name, None)
    os.execv(PYTHON, [str(PYTHON), "-P", "-m", "cli", *arguments])  # noqa: S606


def complete(test: bool) -> bool:
    """Whether the environment is what the lock files of this folder say."""
    return PYTHON.exists() and not BUILDING.exists() and built().items() >= wanted(test).items()


def built() -> dict[str, str]:
    """What the environment was built from; empty when nobody knows."""
    try:
        return dict(json.loads(BUILT.read_text("utf-8")))
    except (OSError, ValueError):
        return {}


def wanted(test: bool) -> dict[str, str]:
    """What it has to be built from."""
    told = {"root": str(ROOT), "packages": fingerprint(LOCK, ROOT / "pyproject.toml")}
    return told | {"test": fingerprint(LOCK, TEST_LOCK)} if test else told


def fingerprint(*files: Path) -> str:
    """One hash over the files' content."""
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Lets one build run at a time: the lock is on the folder itself, and ends with the program that holds it."""
    folder = os.open(ROOT, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another start is building .venv; waiting for it.")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def build(test: bool) -> None:
    """Builds or updates the environment. Raises Refused, with the log's name, when that fails."""
    known = built()
    if BUILDING.exists() or not PYTHON.exists() or known.get("root", str(ROOT)) != str(ROOT):
        clear()
    say("Updating .venv" if known else "Building .venv (this happens once)")
    VENV.mkdir(exist_ok=True)
    BUILDING.touch()
    BUILT.unlink(missing_ok=True)
    if not PYTHON.exists():
        step(f"environment of Python {sys.version.split()[0]}", make_environment)
    step("installer", install_uv)
    step("packages", lambda: install(LOCK, *([TEST_LOCK] if test else [])))
    step("Switchboard", install_ourselves)
    BUILT.write_text(json.dumps(wanted(test)), "utf-8")
    BUILDING.unlink()


def clear() -> None:
    """Removes what a cut-off build or another folder left."""
    if VENV.exists():
        shutil.rmtree(VENV)


def make_environment() -> None:
    """An empty environment with pip."""
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise Refused(
            f"The Python at {sys.executable} has no venv and ensurepip to build .venv with; "
            f"install them (Debian, Ubuntu: apt install python{version}-venv) and start again."
        )
    run(getattr(sys, "_base_executable", sys.executable), "-m", "venv", str(VENV))  # ours may be the one in .venv


def install_uv() -> None:
    """The installer itself, as the lock file pins it."""
    pinned = re.search(r"^uv==.*\n(?:[ ]{4}.*\n?)+", LOCK.read_text("utf-8"), re.MULTILINE)
    if pinned is None:
        raise Refused("requirements.lock does not name uv; write it anew with embedded/lock.py.")
    only_uv = VENV / "uv.txt"
    only_uv.write_text(pinned.group(), "utf-8")
    run(str(PYTHON), "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(only_uv))


def install(*locks: Path) -> None:
    """Every package of the lock files, hashes checked; by pip where uv does not get through, as with an index only pip is told of."""
    listed = [word for lock in locks for word in ("-r", str(lock))]
    with_uv_or_pip(["--compile-bytecode", "--require-hashes", *listed], ["--no-deps", "--require-hashes", *listed])


def install_ourselves() -> None:
    """The project, in place, so that its entry points are known."""
    ours = ["--no-deps", "--no-build-isolation", "-e", str(ROOT)]
    with_uv_or_pip(ours, ours)


def with_uv_or_pip(for_uv: list[str], for_pip: list[str]) -> None:
    """One install, tried with uv first."""
    uv = [str(PYTHON.with_name("uv")), "pip", "install", "--python", str(PYTHON), *cache()]
    try:
        run(*uv, *for_uv)
    except Refused:
        run(str(PYTHON), "-m", "pip", "install", "--quiet", *for_pip)


def cache() -> list[str]:
    """No cache where uv could not write one, as for users without a home."""
    place = Path(os.environ.get("UV_CACHE_DIR") or os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    present = next(folder for folder in (place, *place.absolute().parents) if folder.exists())
    return [] if os.access(present, os.W_OK) else ["--no-cache"]


def run(*command: str) -> None:
    """Runs a program with its output in the build's log. Raises Refused with its last line."""
    with LOG.open("ab") as log:
        begins = log.tell()
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=VENV)
    if ended.returncode != 0:
        said = LOG.read_bytes()[begins:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(said) if line.strip()), f"exit code {ended.returncode}")
        raise Refused(f".venv could not be built: {last}\nAll of it is in {LOG}; mend that, then start again.")


def step(name: str, work: Callable[[], None]) -> None:
    """Does one part of the build and says how long it took."""
    begins = time.monotonic()
    if sys.stderr.isatty():
        sys.stderr.write(f"  · {name} …\r")
        sys.stderr.flush()
    work()
    say(f"  ✓ {name:<40}{time.monotonic() - begins:>6.1f} s")


def say(line: str) -> None:
    """Writes a line for the person who waits; standard output belongs to the command."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
