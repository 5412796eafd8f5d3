"""`./switchboard`: when it builds .venv, when it does not, and what it then runs. A recorder stands where .venv's Python would."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from embedded import bootstrap

ROOT = Path(__file__).parents[2]
FILES = ("switchboard", "embedded/bootstrap.py", "requirements.lock", "requirements-test.lock", "pyproject.toml")
RECORDER = """#!/bin/sh
case "$1 $2" in
  "-I "*) exec {python} "$@" ;;
  "-m venv") exit 9 ;;
esac
echo "${{0##*/}} $*" >> {record}
case "$*" in *"$SLOW"*) sleep 0.5 ;; esac
case "$*" in *"$FAILS"*) echo "the index is away" >&2; exit 1 ;; esac
"""


class Clone:
    """A clone of the repository with a .venv that records what it is asked."""

    def __init__(self, root: Path) -> None:
        self.root, self.record = root, root.with_name("record")
        for file in FILES:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, root / file)
        self.add_environment()

    def add_environment(self) -> None:
        """A .venv nobody knows the origin of."""
        programs = self.root / ".venv" / "bin"
        programs.mkdir(parents=True)
        for name in ("python", "uv"):
            (programs / name).write_text(RECORDER.format(python=sys.executable, record=self.record))
            (programs / name).chmod(0o755)

    def call(self, *arguments: str, **outside: str) -> subprocess.Popen[str]:
        """Calls `switchboard` from another folder."""
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root), "SLOW": "never", "FAILS": "never", **outside}
        return subprocess.Popen([self.root / "switchboard", *arguments], cwd="/", env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments: str, **outside: str) -> tuple[int, str]:
        """Its exit code and what it said to the person."""
        called = self.call(*arguments, **outside)
        _, said = called.communicate(timeout=60)
        return called.returncode, said

    def asked(self) -> list[str]:
        """What was recorded since the last look, shortened to the words that matter."""
        lines = self.record.read_text().splitlines() if self.record.exists() else []
        self.record.unlink(missing_ok=True)
        return [_short(line) for line in lines]


def _short(line: str) -> str:
    words = [word for word in line.split() if word.startswith(("-P", "-e", "requirements", "cli")) or word in ("python", "uv", "up", "test", "-x")]
    words += [Path(word).name for word in line.split() if word.endswith((".lock", ".txt"))]
    return " ".join(words)


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "a clone")


UP = "python -P cli up"
BUILD = ["python uv.txt", "uv requirements.lock", "uv -e"]


def test_builds_once_then_runs_at_once(clone: Clone) -> None:
    assert clone.run("up")[0] == 0
    assert clone.asked() == [*BUILD, UP]
    assert clone.run("up") == (0, "")
    assert clone.asked() == [UP]


def test_says_how_long_each_step_took(clone: Clone) -> None:
    lines = clone.run("up")[1].splitlines()
    assert [line.split()[1] for line in lines[1:]] == ["installer", "packages", "Switchboard"]
    assert all(line.endswith(" s") and len(line) <= 80 for line in lines[1:])


@pytest.mark.parametrize("file", ["requirements.lock", "pyproject.toml"])
def test_builds_again_when_what_it_was_built_from_changed(clone: Clone, file: str) -> None:
    clone.run("up")
    clone.asked()
    with (clone.root / file).open("a") as changed:
        changed.write("# changed\n")
    clone.run("up")
    assert clone.asked() == [*BUILD, UP]


def test_test_has_packages_of_its_own(clone: Clone) -> None:
    clone.run("up")
    clone.asked()
    clone.run("test", "-x")
    assert clone.asked() == ["python uv.txt", "uv requirements.lock requirements-test.lock", "uv -e", "python -P cli test -x"]
    clone.run("up")
    assert clone.asked() == [UP]


def test_two_at_once_build_once(clone: Clone) -> None:
    both = [clone.call("up", SLOW="install"), clone.call("up", SLOW="install")]
    said = [one.communicate(timeout=60)[1] for one in both]
    assert [one.returncode for one in both] == [0, 0]
    assert sorted(clone.asked()) == sorted([*BUILD, UP, UP])
    assert sum("waiting for it" in one for one in said) == 1


def test_pip_takes_over_where_uv_does_not_get_through(clone: Clone) -> None:
    uv = clone.root / ".venv" / "bin" / "uv"
    uv.write_text("#!/bin/sh\nexit 2\n")
    assert clone.run("up")[0] == 0
    assert clone.asked() == ["python uv.txt", "python requirements.lock", "python -e", UP]


def test_a_build_that_fails_says_why_and_where_the_rest_is(clone: Clone) -> None:
    code, said = clone.run("up", FAILS="install")
    assert code == 1
    assert said.splitlines()[-2:] == [
        ".venv could not be built: the index is away",
        f"All of it is in {clone.root / '.venv' / 'build.log'}; mend that, then start again.",
    ]


def test_a_cut_off_build_is_begun_anew(clone: Clone) -> None:
    building = clone.call("up", SLOW="install")
    while not (clone.root / ".venv" / ".building").exists():
        time.sleep(0.01)
    building.kill()
    building.communicate()
    kept = clone.root / ".venv" / "kept"
    kept.touch()
    assert clone.run("up", PIP_NO_INDEX="1")[0] == 1  # the recorder is gone too: this is the real pip
    assert not kept.exists()


def test_an_environment_of_another_folder_is_not_used(clone: Clone) -> None:
    clone.run("up")
    built = clone.root / ".venv" / ".built"
    built.write_text(json.dumps(json.loads(built.read_text()) | {"root": "/elsewhere"}))
    kept = clone.root / ".venv" / "kept"
    kept.touch()
    assert clone.run("up", PIP_NO_INDEX="1")[0] == 1  # the recorder is gone too: this is the real pip
    assert not kept.exists()


def test_called_by_a_link(clone: Clone, tmp_path: Path) -> None:
    clone.run("up")
    clone.asked()
    link = tmp_path / "link"
    link.symlink_to(clone.root / "switchboard")
    subprocess.run([link, "up"], check=True, env={"PATH": os.environ["PATH"], "SLOW": "never", "FAILS": "never"})
    assert clone.asked() == [UP]


def test_a_python_that_cannot_make_environments_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "ensurepip" else object())
    with pytest.raises(bootstrap.Refused, match=r"apt install python3\.\d+-venv"):
        bootstrap.make_environment()
