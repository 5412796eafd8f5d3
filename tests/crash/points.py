"""Places in the product where a crash test can make a process stop. The product knows nothing of them: `kit` is loaded as any third party's
code is, and wraps the functions named here in the worker and in the API.

A test puts a file `NAME.armed` into a folder. Whoever comes to that place first, with the words that the file asks for, writes `NAME.reached`
and stays there until `NAME.armed` is gone, or until it is killed. Every arming is reached once; a place that is not armed costs a look at an
empty folder.
"""

import asyncio
import functools
import inspect
import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from temporalio import activity, workflow

FOLDER = "CRASH_POINTS"
PARTS = {"worker": "worker", "api": "API"}
LOOK_EVERY = 0.01
PLACES = {
    "worker": {
        "think": "agents.scripted:Scripted.think",
        "end": "store.sessions:end_with_say",
        "start": "store.calls:start",
        "post": "tests.crash.kit:Post.run",
        "refund": "agents.tools.refund:Refund.run",
        "finish": "store.calls:finish",
        "open": "store.approvals:open_for_call",
        "expire": "store.approvals:expire",
        "begin_send": "store.messages:begin_send",
        "wire": "tests.crash.kit:Wire.send",
        "end_send": "store.messages:end_send",
        "run_begins": "workflows.sessions:SessionWorkflow._summary",
        "run_over": "workflows.sessions:SessionWorkflow._over",
        "rolls_over": "workflows.sessions:SessionWorkflow._rolls_over",
        "poke": "inbox:Pokes.session",
    },
    "API": {
        "accept": "store.messages:accept",
        "decide": "store.approvals:decide",
        "change": "store.sessions:change_life",
        "changed": "api.sessions:_seen",
        "poke": "inbox:Pokes.session",
    },
}


def install() -> None:
    """Wraps the places of this process, where it is a worker or an API and a folder is named."""
    part = PARTS.get(next(iter(sys.argv[1:]), ""), "")
    if FOLDER not in os.environ or not part:
        return
    for place, where in PLACES[part].items():
        module, _, path = where.partition(":")
        *above, name = path.split(".")
        owner = functools.reduce(getattr, above, import_module(module))
        setattr(owner, name, _stopping(part, place, getattr(owner, name)))


def _stopping(part: str, place: str, body: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, which may be made to stop before and after it; one that is not a coroutine stops behind a true answer only."""

    @functools.wraps(body)
    async def awaited(*args: Any, **kwargs: Any) -> Any:
        await _held(_reached(part, place, "before", args, kwargs))
        answer = await body(*args, **kwargs)
        await _held(_reached(part, place, "after", args, kwargs))
        return answer

    @functools.wraps(body)
    def called(*args: Any, **kwargs: Any) -> Any:
        _frozen(_reached(part, place, "before", args, kwargs))
        answer = body(*args, **kwargs)
        if answer:
            _frozen(_reached(part, place, "after", args, kwargs))
        return answer

    return awaited if inspect.iscoroutinefunction(body) else called


def _reached(part: str, place: str, edge: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Path | None:
    """The arming that is met here for the first time. Raises RuntimeError where it asks to lose what is on its way."""
    armings = [Path(entry.path) for entry in os.scandir(os.environ[FOLDER]) if entry.name.endswith(".armed")]
    words = f"{_scope(args)} {args!r} {kwargs!r}" if armings else ""
    for armed in armings:
        try:
            wanted = json.loads(armed.read_text("utf-8"))
            if (wanted["part"], wanted["place"], wanted["edge"]) != (part, place, edge) or not all(word in words for word in wanted["words"]):
                continue
            if wanted["lose"]:
                raise RuntimeError("lost on its way, as the test wants it")
            os.close(os.open(armed.with_suffix(".reached"), os.O_CREAT | os.O_EXCL, 0o644))
        except (FileNotFoundError, FileExistsError):
            continue
        return armed
    return None


def _scope(args: tuple[Any, ...]) -> str:
    """Which workflow this is done for, and where its run stands."""
    if workflow.in_workflow():
        info = workflow.info()
        return f"{info.workflow_id} {'continued' if info.continued_run_id else 'first'} looks={getattr(args[0], '_looks', '')};"
    if activity.in_activity():
        return str(activity.info().workflow_id)
    return ""


async def _held(armed: Path | None) -> None:
    while armed and armed.exists():
        await asyncio.sleep(LOOK_EVERY)


def _frozen(armed: Path | None) -> None:
    while armed and armed.exists():
        with suppress(InterruptedError):
            time.sleep(LOOK_EVERY)
