"""The machine and the running stack: keys that others can read, ports that are taken, parts that end."""

import asyncio
import json
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.checks import machine
from cli.checks.ground import Ports
from embedded import bootstrap
from embedded.running import Running
from tests.doctor.conftest import Look, broken, skipped

PATIENCE = 60.0


async def test_a_running_stack_is_well_and_all_of_it_is_looked_at(at_home: Look) -> None:
    found = await at_home()

    assert broken(found) == {}
    assert skipped(found) == set()


@pytest.mark.parametrize(("name", "open_"), [("keys.json", 0o644), ("admin_token", 0o640), ("", 0o755)])
async def test_keys_that_others_can_read_are_seen(at_home: Look, stack: Running, name: str, open_: int) -> None:
    path = stack.data / name
    closed = path.stat().st_mode
    path.chmod(open_)
    try:
        found = await at_home()
    finally:
        path.chmod(closed)

    assert broken(found) == {"files": "fail"}
    assert f"({open_:04o})" in found["files"].found
    assert broken(await at_home("files")) == {}


async def test_a_port_that_is_taken_is_seen_before_the_next_start(look: Look, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        found = await look(tmp_path, ports=Ports(0, port, 0))

    assert broken(found) == {"ports": "fail"}
    assert str(port) in found["ports"].found
    assert broken(await look(tmp_path, "ports", ports=Ports(0, port, 0))) == {}


async def test_over_a_stopped_stack_the_machine_is_looked_at_and_nothing_else(look: Look, tmp_path: Path) -> None:
    found = await look(tmp_path / "none", ports=Ports(0, 0, 0))

    assert broken(found) == {}
    assert set(found) - skipped(found) == {"python", "disk", "ports"}


async def test_parts_that_end_are_seen_by_name_and_gone_when_they_are_back(at_home: Look, stack: Running) -> None:
    supervisor = stack.family()[0]
    supervisor.send_signal(signal.SIGSTOP)
    try:
        stack.kill("worker")
        stack.kill("API")
        found = await at_home()
    finally:
        supervisor.send_signal(signal.SIGCONT)

    assert broken(found) == {"parts": "fail", "api": "fail", "workers": "fail"}
    assert "worker and API" in found["parts"].found
    await _well(at_home)


async def test_a_part_that_ends_again_and_again_is_seen(at_home: Look, stack: Running) -> None:
    log = stack.data / "logs" / "up.log"
    for _ in range(3):
        ended = _pid(stack)
        stack.kill("worker")
        await _until(lambda ended=ended: _pid(stack) not in (0, ended))
    await _well(at_home, but={"parts"})

    found = await at_home()

    assert broken(found) == {"parts": "warn"}
    assert "worker ended" in found["parts"].found
    log.write_text("".join(line for line in log.read_text().splitlines(keepends=True) if " ended (" not in line))  # as if ten minutes had passed
    assert broken(await at_home()) == {}


async def test_a_disk_that_is_nearly_full_is_seen(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts as little is set above what this machine has."""
    free = shutil.disk_usage(tmp_path).free
    monkeypatch.setattr(machine, "TIGHT", free * 2)
    tight = await look(tmp_path, "disk")
    monkeypatch.setattr(machine, "SCARCE", free * 2)
    scarce = await look(tmp_path, "disk")

    assert (tight["disk"].state, scarce["disk"].state) == ("warn", "fail")


async def test_an_environment_that_is_out_of_date_is_seen(look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = tmp_path / ".built"
    monkeypatch.setattr(bootstrap, "BUILT", built)
    monkeypatch.setattr(bootstrap, "VENV", Path(sys.prefix))
    monkeypatch.setattr(bootstrap, "BUILDING", tmp_path / ".building")
    built.write_text(json.dumps(bootstrap.wanted(test=False)))
    fresh = await look(tmp_path, "python")
    built.write_text(json.dumps(bootstrap.wanted(test=False) | {"packages": "others"}))
    old = await look(tmp_path, "python")
    monkeypatch.setattr(machine, "OLDEST", (99, 0))
    too_old = await look(tmp_path, "python")

    assert (fresh["python"].state, old["python"].state, too_old["python"].state) == ("ok", "warn", "fail")


def _pid(stack: Running) -> int:
    children = json.loads((stack.data / "children.json").read_text())
    return next((int(child["pid"]) for child in children if child["name"] == "worker"), 0)


async def _well(at_home: Look, but: frozenset[str] | set[str] = frozenset()) -> None:
    ends = time.monotonic() + PATIENCE
    while (wrong := broken(await at_home())).keys() - but:
        assert time.monotonic() < ends, wrong
        await asyncio.sleep(0.3)


async def _until(true: Callable[[], bool]) -> None:
    ends = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < ends
        await asyncio.sleep(0.02)
