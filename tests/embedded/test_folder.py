"""The data folder: private, for one start at a time, and clear about what is wrong with it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from domain.errors import StartFailed
from embedded.children import Child, trim
from embedded.folder import Known, opened
from embedded.identity import identity, runs


class Sleeper(Child):
    """Sleeps until it is ended."""

    name = "sleeper"

    def command(self) -> list[str]:
        return [sys.executable, "-c", "import time; time.sleep(60)"]


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_only_we_may_read_it(tmp_path: Path) -> None:
    with opened(tmp_path / "new" / "data") as folder:
        assert mode(folder.path) == 0o700
        assert mode(folder.path / "keys.json") == 0o600
        assert mode(folder.admin_token_file) == 0o600


def test_an_older_folder_is_made_private(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as folder:
        keys, token = folder.keys, folder.admin_token
    for path in (folder.path, folder.path / "keys.json", folder.admin_token_file):
        path.chmod(0o755)
    with opened(tmp_path / "data") as folder:
        assert (folder.keys, folder.admin_token) == (keys, token)
        assert [mode(folder.path), mode(folder.path / "keys.json"), mode(folder.admin_token_file)] == [0o700, 0o600, 0o600]


def test_a_second_start_says_who_has_it(tmp_path: Path) -> None:
    with opened(tmp_path), pytest.raises(StartFailed, match=rf"already runs on .* \(pid {os.getpid()}\)"), opened(tmp_path):
        pass
    with opened(tmp_path):
        pass


def test_a_lock_is_free_when_its_holder_was_killed(tmp_path: Path) -> None:
    code = f"import sys; sys.path.insert(0, {os.getcwd()!r})\nfrom embedded.folder import opened\nfrom pathlib import Path\n"
    code += f"with opened(Path({str(tmp_path)!r})): print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(StartFailed, match=rf"\(pid {holder.pid}\)"), opened(tmp_path):
        pass
    holder.kill()
    holder.communicate()
    with opened(tmp_path):
        pass


@pytest.mark.parametrize(
    ("content", "sentence"),
    [("not json", "cannot be read as keys"), ("[]", "cannot be read as keys"), ('{"sealing_keys": "x"}', "cannot be read as keys")],
)
def test_broken_keys_are_named(tmp_path: Path, content: str, sentence: str) -> None:
    (tmp_path / "keys.json").write_text(content)
    with pytest.raises(StartFailed, match=sentence), opened(tmp_path):
        pass


def test_an_empty_key_is_named(tmp_path: Path) -> None:
    with opened(tmp_path) as folder:
        file = folder.path / "keys.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"signing_key": ""}))
    with pytest.raises(StartFailed, match="lacks a key"), opened(tmp_path):
        pass


def test_data_without_its_keys_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    with pytest.raises(StartFailed, match=r"keys\.json is missing"), opened(tmp_path):
        pass
    assert not (tmp_path / "keys.json").exists()


def test_a_file_in_its_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StartFailed, match=rf"{re.escape(str(tmp_path / 'file'))}.* is a file"), opened(path):
            pass


def test_what_a_killed_start_left_is_ended_and_nothing_else(tmp_path: Path) -> None:
    left, stranger = Sleeper(), Sleeper()
    left.spawn()
    stranger.spawn()
    try:
        with opened(tmp_path) as folder:
            folder.record([left])
            recorded = json.loads((tmp_path / "children.json").read_text())
            recorded.append({"name": "recycled", "pid": stranger.pid, "identity": "another boot:1"})
            (tmp_path / "children.json").write_text(json.dumps(recorded))
        with opened(tmp_path) as folder:
            assert folder.end_leftovers() == ["sleeper"]
        assert not left.alive
        assert stranger.alive
    finally:
        left.kill()
        stranger.kill()


def test_a_pid_alone_is_no_identity() -> None:
    mine = identity(os.getpid())
    assert mine
    assert runs(os.getpid(), mine)
    assert not runs(os.getpid(), mine + "0")
    assert not runs(os.getpid(), "")
    assert not Known("gone", 2**22 - 3, "").runs


def test_a_log_is_begun_anew_while_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"x" * 100)
        trim(log, limit=99)
        writer.write(b"after")
    assert log.read_bytes() == b"after"
    assert (tmp_path / "a.log.1").read_bytes() == b"x" * 100
