"""`up`, whole: real Postgres, Temporal, API and worker from an empty folder, and every way to end or refuse it."""

import os
import pwd
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from embedded.accounts import Account
from embedded.postgres import Postgres
from embedded.temporal import Temporal
from tests.embedded.start import Start

NAMES = {"api", "console", "chat", "temporal_ui", "temporal_address", "database_url", "admin_token", "pid"}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that is not there yet."""
    return tmp_path / "data"


@pytest.fixture(autouse=True)
def _nothing_outlives_its_test() -> Iterator[None]:
    yield
    Start.end_all()


def path(url: str) -> str:
    return urlsplit(url).path


def test_serves_from_an_empty_folder_and_goes_on_over_it(data: Path) -> None:
    start = Start(data)
    told = start.serves()
    assert set(told) == NAMES
    assert told["pid"] == start.program.pid
    assert start.ready.stat().st_mode & 0o777 == 0o600
    for url in (told["chat"], told["console"], told["temporal_ui"], told["api"] + "/docs", told["api"] + "/readyz"):
        assert httpx.get(url, follow_redirects=True).status_code == 200, url
    answer = httpx.get(told["api"] + "/v1/accounts", headers={"authorization": f"Bearer {told['admin_token']}"})
    assert answer.status_code == 200, answer.text
    assert [account["name"] for account in answer.json()["items"]] == ["web"]
    with psycopg.connect(told["database_url"]) as connection:
        assert connection.execute("select name from tenants").fetchall() == [("demo",)]

    second = Start(data)
    assert second.end() == (
        1,
        f"Switchboard\nSwitchboard already runs on {data} (pid {told['pid']}); stop it, or choose another folder with --data.\n",
    )

    start.ask()
    code, said = start.end()
    assert (code, start.left()) == (0, [])
    assert not start.ready.exists()
    assert not (data / "serving.json").exists()
    lines = said.replace(str(data), ".switchboard").splitlines()
    assert [line for line in lines if len(line) > 80 and " " in line.strip()] == []  # an address is never broken
    assert told["admin_token"] not in said

    again = Start(data)
    told_again = again.serves()
    assert told_again["admin_token"] == told["admin_token"]
    assert path(told_again["chat"]) == path(told["chat"])
    again.ask(signal.SIGTERM)
    assert again.end()[0] == 0


def test_its_children_end_with_it_and_its_data_is_taken_up_again(data: Path) -> None:
    start = Start(data)
    told = start.serves()
    start.ask(signal.SIGKILL)
    start.end()
    ends = time.monotonic() + 60
    while start.left() and time.monotonic() < ends:
        time.sleep(0.05)
    assert start.left() == []
    again = Start(data)
    assert path(again.serves()["chat"]) == path(told["chat"])
    again.ask()
    assert again.end()[0] == 0


def test_a_second_signal_ends_it_at_once(data: Path) -> None:
    start = Start(data)
    start.serves()
    worker = next(one["pid"] for one in start.recorded if one["name"] == "worker")
    os.kill(worker, signal.SIGSTOP)  # deaf to a polite request
    start.ask()
    while start.ready.exists():  # until it has heard us
        time.sleep(0.02)
    start.ask()
    assert start.end()[0] == 130
    assert start.left() == []


def test_asked_to_stop_while_it_starts(data: Path) -> None:
    start = Start(data)
    while not (data / "children.json").exists():
        time.sleep(0.02)
    start.ask()
    assert start.end()[0] == 0
    assert not start.ready.exists()


@pytest.mark.parametrize("option", ["--port", "--temporal-port", "--ui-port"])
def test_a_taken_port_is_named(data: Path, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, said = Start(data, option, str(port)).end()
    assert code == 1
    assert f"Port {port} is taken by" in said
    assert f"choose another with {option}" in said
    assert len(said.splitlines()) == 2


def test_a_folder_it_cannot_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    code, said = Start(tmp_path / "file").end()
    assert code == 1
    assert said.splitlines()[1:] == [f"{tmp_path / 'file'} is a file where a folder should be; move it, or choose another folder with --data."]


def test_a_setting_that_does_not_fit_is_named(data: Path) -> None:
    code, said = Start(data, outside={"SWITCHBOARD_LINGER": "soon"}).end()
    assert code == 1
    assert said.splitlines()[-1].startswith("SWITCHBOARD_LINGER has a value that does not fit (Input should be a valid number")


def test_parts_from_outside_are_used_and_newer_data_is_refused(data: Path, tmp_path: Path) -> None:
    postgres, temporal = Postgres(tmp_path / "postgres", "owner"), Temporal(tmp_path / "temporal.db")
    postgres.start()
    temporal.start()
    outside = {"DATABASE_URL": postgres.owner_url, "TEMPORAL_ADDRESS": temporal.address}
    try:
        start = Start(data, "--no-demo", outside=outside)
        told = start.serves()
        assert {one["name"] for one in start.recorded} == {"API", "worker"}
        assert not (data / "postgres").exists()
        assert not (data / "temporal.db").exists()
        assert (told["database_url"], told["temporal_address"], told["chat"]) == (postgres.owner_url, temporal.address, None)
        start.ask()
        assert start.end()[0] == 0
        with psycopg.connect(postgres.owner_url) as connection:
            connection.execute("insert into _yoyo_migration (migration_hash, migration_id) values ('x', '9999_of_tomorrow')")
        code, said = Start(data, outside=outside).end()
        assert code == 1
        assert "newer version (it has 9999_of_tomorrow)" in said.splitlines()[-1]
    finally:
        temporal.kill()
        postgres.kill()


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A folder that every user gets to."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder)


def test_an_ordinary_user_needs_no_root(reachable: Path) -> None:
    found = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    account = Account(found.pw_name, found.pw_uid, found.pw_gid) if os.geteuid() == 0 else None
    data = reachable / "data"
    os.chown(reachable, found.pw_uid, found.pw_gid)
    start = Start(data, account=account, outside={"HOME": str(reachable)})
    start.serves()
    assert {(data / name).stat().st_uid for name in ("postgres", "temporal.db", "keys.json")} == {found.pw_uid}
    start.ask()
    assert start.end()[0] == 0
    if account:
        code, said = Start(data).end()
        assert code == 1
        assert f"belongs to user {account.uid}, not to root" in said
