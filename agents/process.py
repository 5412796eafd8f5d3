"""A tool in a process of its own: both ends of it.

The parent writes one line of JSON to the child's stdin and keeps the pipe open; the child writes one JSON object to stdout and ends.
The child has its own process group, an environment without our secrets and an empty folder. It dies with its group when the parent
gives up on it, and also when the parent itself dies, because the pipe ends then. It is no sandbox: it runs as the same user.
"""

import asyncio
import json
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from agents import Hands, Json
from agents.registry import load_tool
from agents.storable import LARGEST_RESULT, bounded, storable
from domain.errors import SwitchboardError, ToolFailed

KEPT = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "SYSTEMROOT")
"""What a child inherits of our environment; keys, tokens and database addresses are not among it."""

MOST_READ = 4 * LARGEST_RESULT
ROOT = Path(__file__).resolve().parent.parent


async def run_in_process(name: str, arguments: Mapping[str, Json], hands: Hands) -> Json:
    """Run a registered tool in a fresh process and return its result. Cancelled, it kills the whole process group first.

    Raises ToolFailed with the tool's own sentence, or one that says that the process ended without a result.
    """
    order = {"arguments": dict(arguments), "hands": hands.model_dump(mode="json", exclude={"effects"})}
    with tempfile.TemporaryDirectory(prefix="switchboard-tool-", ignore_cleanup_errors=True) as folder:
        said, code = await _spoken_to(name, json.dumps(order).encode() + b"\n", folder)
    try:
        answer = json.loads(said)
    except ValueError:
        answer = {"failed": f"{name} ended without a result (exit code {code})."}
    if "failed" in answer:
        raise ToolFailed(str(answer["failed"]), **({"field": answer["field"]} if answer.get("field") else {}))
    return answer["result"]


async def _spoken_to(name: str, order: bytes, folder: str) -> tuple[bytes, int | None]:
    """Start the child, give it its order, and take what it says and its exit code."""
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "agents.process", name),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
        env=environment(folder),
        start_new_session=True,
    )
    try:
        assert child.stdin is not None
        assert child.stdout is not None
        with suppress(BrokenPipeError, ConnectionResetError):
            child.stdin.write(order)
            await child.stdin.drain()
        said = b""
        while len(said) <= MOST_READ and (more := await child.stdout.read(MOST_READ)):
            said += more
        if len(said) <= MOST_READ:
            await child.wait()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        await child.wait()
    return said, child.returncode


def environment(folder: str, ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of a child that works in `folder`; it finds the modules that we find."""
    kept = {name: ours[name] for name in KEPT if name in ours}
    path = os.pathsep.join(dict.fromkeys([str(ROOT), *filter(os.path.isabs, sys.path)]))
    return kept | {"PYTHONPATH": path, "PYTHONUTF8": "1", "HOME": folder, "TMPDIR": folder}


def main(name: str) -> None:
    """The child: take the order from stdin, run the tool, answer on stdout, and end without waiting for anything left over."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a tool prints must not end up in its answer
    order = json.loads(sys.stdin.buffer.readline())
    if os.getpgrp() == os.getpid():
        threading.Thread(target=_die_with_parent, args=(sys.stdin.buffer,), daemon=True).start()
    answer = asyncio.run(_answer(name, order))
    answers.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode())
    answers.flush()
    os._exit(0)


async def _answer(name: str, order: Mapping[str, Any]) -> dict[str, Json]:
    try:
        tool = load_tool(name)
        most = int(tool.timeout) + 2
        resource.setrlimit(resource.RLIMIT_CPU, (most, most))
        hands = Hands(effects=None, **order["hands"])
        result = await tool.run(tool.arguments.model_validate(order["arguments"]), hands)
        return {"result": bounded(storable(result), LARGEST_RESULT)}
    except SwitchboardError as error:
        return {"failed": error.detail, "field": error.extra.get("field")}
    except Exception as error:
        return {"failed": f"{name} failed inside ({type(error).__name__})."}


def _die_with_parent(pipe: BinaryIO) -> None:
    """Wait for the pipe's end, which is the parent's; the kernel's limit on processor time covers code that never lets go."""
    pipe.read()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1])
