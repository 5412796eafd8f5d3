"""Postgres under root: which account it gets and what it may."""

import os
import pwd
from pathlib import Path

import pytest

from domain.errors import StartFailed
from embedded.accounts import Account, postgres_account, reaches, run_as


def someone() -> Account:
    found = pwd.getpwnam("nobody")
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def test_an_ordinary_user_runs_it_as_is(tmp_path: Path) -> None:
    assert run_as(None, ["postgres"], [tmp_path]) == ["postgres"]
    assert (postgres_account(tmp_path / "none") is None) == (os.geteuid() != 0)


def test_whether_an_account_gets_through_the_folders(tmp_path: Path) -> None:
    open_folder, closed = tmp_path / "open", tmp_path / "closed"
    open_folder.mkdir()
    closed.mkdir(mode=0o700)
    mine = Account("me", os.geteuid(), os.getegid())
    assert reaches(mine, open_folder / "x") or not os.access(tmp_path, os.X_OK)
    assert not reaches(someone(), closed / "x")


def test_root_gives_nothing_but_the_way_through(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() != 0:  # who holds no capability has none to give
        with pytest.raises(StartFailed, match="cannot reach"):
            run_as(someone(), ["postgres"], [closed / "data"])
        return
    command = run_as(someone(), ["postgres"], [closed / "data"])
    assert f"--reuid={someone().uid}" in command
    assert [word.partition(",")[2] for word in command if "-caps=" in word] in (["+dac_read_search"] * 2, ["+dac_override"] * 2)


def test_without_setpriv_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(StartFailed, match="setpriv"):
        run_as(someone(), ["postgres"], [tmp_path])
