"""The runner: time limits, results, errors, and tools in a process of their own."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import psutil
import pytest
from pydantic import BaseModel, ConfigDict

from agents import Hands
from agents.process import ROOT, environment
from agents.registry import load_tool, load_tools
from agents.runner import run
from agents.storable import LARGEST_RESULT
from agents.tools.calculate import Calculate
from agents.tools.wait import Wait
from domain.errors import NotFound, StoreUnavailable, ToolFailed
from tests.agents.hands import hands

SECRET = "sk-very-secret-4711"


class Anything(BaseModel):
    """Takes what it is given."""

    model_config = ConfigDict(extra="allow")


class Own:
    """A tool that does what a test says."""

    name = "own"
    description = "A test's own."
    arguments = Anything
    gate: Literal["run", "ask", "deny"] = "run"
    timeout = 0.2
    idempotent = True
    commits = False
    runs_in: Literal["worker", "process"] = "worker"

    def __init__(self, does: Callable[[], Any], *, commits: bool = False) -> None:
        self.does = does
        self.commits = commits

    async def run(self, arguments: Any, hands: Hands) -> Any:
        result = self.does()
        return await result if asyncio.iscoroutine(result) else result


def fail(error: Exception) -> Callable[[], Any]:
    def raised() -> Any:
        raise error

    return raised


async def test_a_tool_that_takes_too_long_is_stopped() -> None:
    with pytest.raises(ToolFailed, match=r"own took longer than 0\.2 seconds"):
        await run(Own(lambda: asyncio.sleep(3600)), {}, hands())


async def test_cancelling_a_turn_ends_a_wait_at_once() -> None:
    waiting = asyncio.create_task(run(Wait(), {"seconds": 3600}, hands()))
    await asyncio.sleep(0.05)
    waiting.cancel()

    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_an_unknown_error_is_named_by_its_kind_only() -> None:
    with pytest.raises(ToolFailed) as failed:
        await run(Own(fail(RuntimeError(SECRET))), {}, hands())

    assert failed.value.detail == "own failed inside (RuntimeError)."
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


async def test_a_timeout_of_its_own_is_no_timeout_of_ours() -> None:
    with pytest.raises(ToolFailed, match="TimeoutError"):
        await run(Own(fail(TimeoutError())), {}, hands())


async def test_errors_of_ours_pass() -> None:
    with pytest.raises(ToolFailed, match=r"^no such thing$"):
        await run(Own(fail(ToolFailed("no such thing"))), {}, hands())
    with pytest.raises(StoreUnavailable):
        await run(Own(fail(StoreUnavailable())), {}, hands())


async def test_a_broken_transaction_is_the_callers_to_repeat() -> None:
    with pytest.raises(RuntimeError):
        await run(Own(fail(RuntimeError()), commits=True), {}, hands())


@pytest.mark.parametrize("result", [object(), {"a": {1, 2}}, b"bytes"])
async def test_a_result_that_is_not_json_is_a_failure(result: Any) -> None:
    with pytest.raises(ToolFailed):
        await run(Own(lambda: result), {}, hands())


async def test_a_result_is_made_storable() -> None:
    result = await run(Own(lambda: {"a\x00": ("b\x00", "\ud800", 2**60, float("nan"), 1.5, None, True)}), {}, hands())

    assert result == {"a": ["b", "?", str(2**60), "nan", 1.5, None, True]}


@pytest.mark.parametrize("text", ['"', "ä", "\n", "🦊"])
async def test_a_long_result_is_cut_with_a_note(text: str) -> None:
    result = await run(Own(lambda: [text] * LARGEST_RESULT), {}, hands())

    assert len(json.dumps(result, ensure_ascii=False).encode()) <= LARGEST_RESULT
    assert result["cut"].startswith("[")
    assert "only its beginning" in result["note"]


async def test_a_tool_runs_in_a_process_of_its_own() -> None:
    assert await run(Calculate(), {"expression": "6 * 7"}, hands()) == {"value": 42}
    assert await run(Calculate(), {"expression": "0.1 + 0.2"}, hands()) == {"value": 0.3}
    assert await run(Calculate(), {"expression": "2 ** 100"}, hands()) == {"value": str(2**100)}
    with pytest.raises(ToolFailed, match="divides by zero") as failed:
        await run(Calculate(), {"expression": "1 / 0"}, hands())
    assert failed.value.extra["field"] == "expression"


THEIRS = """
import asyncio, os, subprocess, sys, time
from typing import Any
from pydantic import BaseModel

class Which(BaseModel):
    does: str
    file: str = ""

class Theirs:
    name, description, arguments, gate, timeout = "theirs", "Somebody else's.", Which, "run", 60.0
    idempotent, commits, runs_in = True, False, "process"

    async def run(self, arguments: Which, hands: Any) -> Any:
        match arguments.does:
            case "environment":
                return {"environment": dict(os.environ), "folder": os.getcwd(), "session": hands.session_id}
            case "hang":
                child = subprocess.Popen(["sleep", "600"])
                with open(arguments.file, "w") as file:
                    file.write(f"{os.getpid()} {child.pid}\\n")
                time.sleep(600)
            case "print":
                print("noise", flush=True)
                os.write(1, b"more noise")
                return "quiet"
            case "leave":
                os._exit(3)
            case "large":
                return "x" * 1_000_000
            case "crash":
                raise RuntimeError("sk-very-secret-4711")

class Contradicts(Theirs):
    name, commits = "contradicts", True
"""


@pytest.fixture
def theirs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else's package, installed, with three entry points of which two are broken."""
    (tmp_path / "theirs.py").write_text(THEIRS)
    (tmp_path / "theirs-1.dist-info").mkdir()
    (tmp_path / "theirs-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1\n")
    (tmp_path / "theirs-1.dist-info" / "entry_points.txt").write_text(
        "[switchboard.tools]\ntheirs = theirs:Theirs\ncontradicts = theirs:Contradicts\ngone = nowhere:Gone\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.usefixtures("theirs")
def test_a_broken_tool_of_somebody_else_is_left_out() -> None:
    tools = load_tools()

    assert "theirs" in tools
    assert "calculate" in tools
    assert not {"contradicts", "gone"} & set(tools)
    with pytest.raises(NotFound):
        load_tool("nothing")


@pytest.mark.usefixtures("theirs")
async def test_a_process_sees_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "DATABASE_URL", "SWITCHBOARD_SEALING_KEYS", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)

    seen = await run(load_tool("theirs"), {"does": "environment"}, hands())

    assert SECRET not in json.dumps(seen)
    assert seen["session"] == "ses_1"
    assert seen["folder"] == seen["environment"]["HOME"]
    assert not Path(seen["folder"]).exists()
    assert set(environment("/x", {"PATH": "p", "X_TOKEN": SECRET})) == {"PATH", "PYTHONPATH", "PYTHONUTF8", "HOME", "TMPDIR"}


@pytest.mark.usefixtures("theirs")
@pytest.mark.parametrize("how", ["timeout", "cancel"])
async def test_a_process_that_hangs_is_killed_with_its_children(tmp_path: Path, how: str) -> None:
    file = tmp_path / "pids"
    tool: Any = load_tool("theirs")
    tool.timeout = 5.0
    running = asyncio.create_task(run(tool, {"does": "hang", "file": str(file)}, hands()))
    pids = await written(file)
    assert all(psutil.pid_exists(pid) for pid in pids)

    if how == "cancel":
        running.cancel()
    with pytest.raises((ToolFailed, asyncio.CancelledError)):
        await running
    assert await gone(pids)


@pytest.mark.usefixtures("theirs")
async def test_a_process_dies_when_its_parent_is_killed(tmp_path: Path) -> None:
    file = tmp_path / "pids"
    source = (
        "import asyncio; from agents.runner import run; from agents.registry import load_tool; from tests.agents.hands import hands;"
        f"asyncio.run(run(load_tool('theirs'), {{'does': 'hang', 'file': {str(file)!r}}}, hands()))"
    )
    path = os.pathsep.join([str(ROOT), str(tmp_path)])
    parent = await asyncio.create_subprocess_exec(sys.executable, "-c", source, env=dict(os.environ, PYTHONPATH=path))
    pids = await written(file)
    parent.send_signal(signal.SIGKILL)
    await parent.wait()

    assert await gone(pids)


@pytest.mark.usefixtures("theirs")
async def test_what_a_process_prints_is_not_its_result() -> None:
    assert await run(load_tool("theirs"), {"does": "print"}, hands()) == "quiet"


@pytest.mark.usefixtures("theirs")
async def test_a_process_that_ends_without_a_result_has_failed() -> None:
    with pytest.raises(ToolFailed, match="ended without a result"):
        await run(load_tool("theirs"), {"does": "leave"}, hands())
    with pytest.raises(ToolFailed, match=r"^theirs failed inside \(RuntimeError\)\.$"):
        await run(load_tool("theirs"), {"does": "crash"}, hands())


@pytest.mark.usefixtures("theirs")
async def test_a_large_result_of_a_process_is_cut() -> None:
    result = await run(load_tool("theirs"), {"does": "large"}, hands())

    assert len(json.dumps(result).encode()) <= LARGEST_RESULT
    assert result["cut"].startswith('"xxx')


async def written(file: Path) -> list[int]:
    """The process ids in a file, once its line is complete."""
    for _ in range(1000):
        if file.exists() and (text := file.read_text()).endswith("\n"):
            return [int(pid) for pid in text.split()]
        await asyncio.sleep(0.05)
    raise AssertionError("the tool did not start")


async def gone(pids: list[int]) -> bool:
    """Whether all processes end soon; one that is dead but not yet collected counts as gone."""
    for _ in range(1000):
        if not any(alive(pid) for pid in pids):
            return True
        await asyncio.sleep(0.05)
    return False


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
