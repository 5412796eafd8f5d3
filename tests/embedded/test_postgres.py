"""The embedded Postgres: it starts anywhere, keeps what was committed, and says what is wrong."""

import os
import shutil
import signal
from pathlib import Path

import psycopg
import pytest

from domain.errors import StartFailed
from embedded.identity import programs_in
from embedded.postgres import Postgres, newest_bin
from tests.embedded.conftest import PASSWORD


def write(server: Postgres, value: int) -> None:
    with psycopg.connect(server.owner_url) as connection:
        connection.execute("create table if not exists kept (value int)")
        connection.execute("insert into kept values (%s)", (value,))


def kept(server: Postgres) -> list[int]:
    with psycopg.connect(server.owner_url) as connection:
        return [row[0] for row in connection.execute("select value from kept order by value")]


def test_keeps_what_was_committed_over_stop_and_kill(postgres: Postgres) -> None:
    postgres.start()
    write(postgres, 1)
    postgres.stop()
    assert postgres.exit_code == 0
    postgres.start()
    write(postgres, 2)
    postgres.kill()
    postgres.start()
    assert kept(postgres) == [1, 2]


def test_commits_are_durable_and_the_owner_is_no_superuser(postgres: Postgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.owner_url) as connection:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute("select current_setting(%s)", (setting,)).fetchone() == ("on",)
        assert connection.execute("select rolsuper, rolcreaterole from pg_roles where rolname = current_user").fetchone() == (False, True)


def test_needs_the_password(postgres: Postgres) -> None:
    postgres.start()
    for url in (postgres.app_url("x"), postgres.owner_url.replace(":it", ":no"), f"postgresql://postgres@127.0.0.1:{postgres.port}/postgres"):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password supplied"):
            psycopg.connect(url)


def test_a_stale_pid_file_with_a_living_strangers_pid_does_not_matter(postgres: Postgres) -> None:
    postgres.start()
    write(postgres, 1)
    pid_file = postgres.data / "postmaster.pid"
    stale = pid_file.read_text().replace(str(postgres.pid), str(os.getppid()), 1)
    postgres.kill()
    pid_file.write_text(stale)
    postgres.start()
    assert kept(postgres) == [1]


def test_a_server_that_was_left_behind_is_ended(postgres: Postgres) -> None:
    postgres.start()
    write(postgres, 1)
    later = Postgres(postgres.data, PASSWORD)
    later.start()
    try:
        assert not postgres.alive
        assert kept(later) == [1]
    finally:
        later.stop()
    assert programs_in(postgres.data, "postgres") == []


def test_backends_of_a_killed_server_are_no_obstacle(postgres: Postgres) -> None:
    postgres.start()
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        connection.execute("create table kept (value int)")
        os.kill(postgres.pid, signal.SIGKILL)
    postgres.start()
    assert kept(postgres) == []


def test_a_path_longer_than_a_socket_may_have(tmp_path: Path) -> None:
    folder = tmp_path / ("long " * 20).strip() / ("names%" * 20)
    folder.mkdir(parents=True)
    server = Postgres(folder / "postgres", PASSWORD)
    server.start()
    write(server, 1)
    server.stop()
    assert server.exit_code == 0


def test_programs_in_a_folder_closed_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    install = newest_bin().parent
    for folder in (install, install.parent.with_name(install.parent.name + ".libs")):
        shutil.copytree(folder, closed / folder.relative_to(install.parent.parent), symlinks=True)
    monkeypatch.setattr("embedded.postgres.newest_bin", lambda: closed / install.parent.name / install.name / "bin")
    server = Postgres(closed / "postgres", PASSWORD)
    server.start()
    write(server, 1)
    server.stop()
    assert server.exit_code == 0


def test_a_half_made_database_is_made_anew(postgres: Postgres) -> None:
    half = postgres.data.with_name("postgres.new")
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    postgres.start()
    assert not half.exists()


@pytest.mark.parametrize(("version", "sentence"), [("9.6\n", r"made by Postgres 9\.6 and this is Postgres \d+;"), (None, "holds no Postgres data")])
def test_data_it_cannot_use_is_named(postgres: Postgres, version: str | None, sentence: str) -> None:
    postgres.data.mkdir()
    if version:
        (postgres.data / "PG_VERSION").write_text(version)
    with pytest.raises(StartFailed, match=sentence):
        postgres.start()


def test_says_what_the_server_said_last(postgres: Postgres) -> None:
    postgres.start()
    postgres.stop()
    (postgres.data / "global" / "pg_control").write_bytes(b"broken")
    with pytest.raises(StartFailed, match=r"Postgres ended while it started: .*postgres\.log"):
        postgres.start()


def test_its_log_holds_neither_values_nor_statements(postgres: Postgres, tmp_path: Path) -> None:
    postgres.start()
    with psycopg.connect(postgres.owner_url) as connection:
        connection.execute("create table only_once (word text primary key)")
        connection.execute("insert into only_once values ('a secret word')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("insert into only_once values ('a secret word')")
    log = (tmp_path / "postgres.log").read_text()
    assert "only_once_pkey" in log
    assert "secret" not in log


def test_a_wheel_without_its_programs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("embedded.postgres.find_spec", lambda name: None)
    with pytest.raises(StartFailed, match=r"Postgres is missing from \.venv"):
        newest_bin()
