"""Runs a tool: checks its arguments, keeps its time, and makes one kind of error of whatever goes wrong."""

import asyncio
from collections.abc import Mapping

import structlog
from pydantic import BaseModel, ValidationError

from agents import Hands, Json, Tool
from agents.process import run_in_process
from agents.storable import LARGEST_RESULT, bounded, storable
from domain.errors import SwitchboardError, ToolFailed

log = structlog.get_logger(__name__)


async def run(tool: Tool, arguments: Mapping[str, Json], hands: Hands) -> Json:
    """Carry a call out and return its result: JSON of at most `LARGEST_RESULT` bytes, cut with a note where it is longer.

    Raises ToolFailed with a sentence for the agent: arguments that do not fit (`field` names the first), no end within the tool's
    timeout, or whatever went wrong inside. Errors of Switchboard itself pass, such as StoreUnavailable, and so does cancellation.
    A tool that `commits` lets every error pass but these: it is the caller's transaction that broke, and that is tried again.
    """
    checked = check(tool, arguments)
    try:
        async with asyncio.timeout(tool.timeout) as clock:
            if tool.runs_in == "process":
                result = await run_in_process(tool.name, arguments, hands)
            else:
                result = await tool.run(checked, hands)
        return bounded(storable(result), LARGEST_RESULT)
    except SwitchboardError:
        raise
    except Exception as error:
        if tool.commits and not clock.expired():
            raise
        failed = _failed(tool, error, late=clock.expired())
    raise failed


def check(tool: Tool, arguments: Mapping[str, Json]) -> BaseModel:
    """The arguments as the tool's own model. Raises ToolFailed that names the first field that does not fit."""
    try:
        return tool.arguments.model_validate(dict(arguments))
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
    fields = [".".join(str(part) for part in problem["loc"]) for problem in problems]
    listed = "; ".join(f"{field}: {problem['msg']}" if field else problem["msg"] for field, problem in zip(fields, problems, strict=True))
    raise ToolFailed(f"The arguments of {tool.name} do not fit. {listed[:1000]}", field=fields[0])


def _failed(tool: Tool, error: Exception, *, late: bool) -> ToolFailed:
    """An error as a sentence without a traceback: an unknown error's text may hold anything, so only its kind is told."""
    if late:
        return ToolFailed(f"{tool.name} took longer than {tool.timeout:g} seconds and was stopped.")
    log.warning("tool_failed", tool=tool.name, error=type(error).__name__)
    return ToolFailed(f"{tool.name} failed inside ({type(error).__name__}).")
