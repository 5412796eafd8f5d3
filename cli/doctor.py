"""`doctor`: looks at everything, says what it found, and how to mend it. It changes nothing."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Annotated

import psutil
import psycopg
import typer
from psycopg.errors import InsufficientPrivilege, UndefinedColumn, UndefinedFunction, UndefinedTable
from rich.text import Text
from temporalio.service import RPCError, RPCStatusCode

from cli.checks import Finding, Skipped, clocks, credentials, database, fail, machine, running, temporal, work
from cli.checks.ground import Ground, Ports
from cli.output import out, short
from cli.place import DATA, DataOption
from cli.tables import as_json, blank, clean, entry, paragraph
from cli.up import port
from domain.errors import SwitchboardError
from settings import Settings

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
Look = Callable[[Ground], Finding | Awaitable[Finding]]
WITHIN = 20.0
"""Seconds one check may take."""
CHECKS: Mapping[str, Look] = {
    "python": machine.python,
    "disk": machine.disk,
    "ports": machine.ports,
    "files": machine.files,
    "parts": running.parts,
    "api": running.api,
    "postgres": database.postgres,
    "role": database.role,
    "schema": database.schema,
    "isolation": database.isolation,
    "temporal": temporal.temporal,
    "namespace": temporal.namespace,
    "search-attributes": temporal.search_attributes,
    "workers": temporal.workers,
    "dispatch": clocks.dispatch,
    "clocks": clocks.clocks,
    "unanswered": work.unanswered,
    "promises": work.promises,
    "parked": work.parked,
    "unknown": work.unknown,
    "api-keys": credentials.api_keys,
    "sealed": credentials.sealed,
}
SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red"), "skipped": ("·", "dim")}
LABEL = max(map(len, CHECKS)) + 2


def name(value: str) -> str:
    """The name of a check."""
    if value in CHECKS:
        return value
    raise typer.BadParameter(f"{value!r} is none of {', '.join(CHECKS)}.")


@app.command()
def doctor(
    only: Annotated[list[str] | None, typer.Option("--only", parser=name, metavar="NAME", help="Only this check; may be given again.")] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    data: DataOption = DATA,
    api_port: Annotated[int | None, typer.Option("--port", parser=port, metavar="PORT|auto", help="The API's port, as for `up`.")] = None,
    temporal_port: Annotated[int | None, typer.Option(parser=port, metavar="PORT|auto", help="Temporal's port, as for `up`.")] = None,
    ui_port: Annotated[int | None, typer.Option(parser=port, metavar="PORT|auto", help="Its web UI's port, as for `up`.")] = None,
) -> None:
    """Look at everything and say what is wrong and how to mend it; nothing is changed. Exit code 1 when something is broken."""
    ground = Ground(data.expanduser(), Ports.as_for_up(api_port, temporal_port, ui_port), Settings())
    found = asyncio.run(examine(ground, only or CHECKS))
    if json_:
        as_json(told(ground, found))
    else:
        show(ground, found)
    if any(finding.state == "fail" for finding in found.values()):
        raise typer.Exit(1)


async def examine(ground: Ground, names: Iterable[str]) -> dict[str, Finding]:
    """What each of these checks finds, one after the other."""
    async with ground:
        return {name_: await _look(ground, name_) for name_ in names}


async def _look(ground: Ground, name_: str) -> Finding:
    try:
        async with asyncio.timeout(WITHIN):
            found = CHECKS[name_](ground)
            return await found if inspect.isawaitable(found) else found
    except Skipped as skipped:
        return Finding("skipped", str(skipped))
    except (UndefinedTable, UndefinedColumn, UndefinedFunction):
        return Finding("skipped", "The schema is not the one that this version knows.")
    except InsufficientPrivilege:
        return Finding("skipped", "The connection that is known may not look there.")
    except RPCError as error:
        if error.status == RPCStatusCode.NOT_FOUND:
            return Finding("skipped", f"Temporal has no namespace {ground.namespace}.")
        return _broken_off(error)
    except (psycopg.Error, psutil.Error, OSError, TimeoutError, SwitchboardError) as error:  # their words may hold an address with a password
        return _broken_off(error)


def _broken_off(error: Exception) -> Finding:
    return fail(f"The look at it broke off ({type(error).__name__}).", "Mend what fails above, then look again.")


def told(ground: Ground, found: Mapping[str, Finding]) -> dict[str, object]:
    """The findings as JSON has them."""
    checks = [{"name": name_, "state": one.state, "found": one.found, "mend": one.mend or None} for name_, one in found.items()]
    return {"folder": str(ground.data), "up": ground.up or None, "checks": checks}


def show(ground: Ground, found: Mapping[str, Finding]) -> None:
    """The findings on a screen: what was looked at first, then what could not be, then how all of it stands."""
    entry(Text("Switchboard doctor", style="bold"), Text(_place(ground), style="dim"), [])
    blank()
    for name_, finding in found.items():
        if finding.state != "skipped":
            _line(name_, finding)
    for reason in dict.fromkeys(finding.found for finding in found.values() if finding.state == "skipped"):
        names = ", ".join(name_ for name_, finding in found.items() if finding.state == "skipped" and finding.found == reason)
        paragraph(Text("  · ", style="dim"), Text(f"Not looked at: {names}. {clean(reason)}", style="dim"))
    blank()
    out.print(_sum(found))


def _line(name_: str, finding: Finding) -> None:
    sign, style = SIGNS[finding.state]
    paragraph(Text.assemble("  ", (sign, style), f" {name_:<{LABEL}}"), Text(clean(finding.found)))
    if finding.mend:
        paragraph(Text.assemble(" " * (LABEL + 4), ("→ ", style)), Text(clean(finding.mend)))


def _place(ground: Ground) -> str:
    if ground.up:
        return f"{short(ground.data.absolute())}, running"
    return "as the environment says" if ground.far else f"{short(ground.data.absolute())}, stopped"


def _sum(found: Mapping[str, Finding]) -> Text:
    failing, warning = (sum(one.state == state for one in found.values()) for state in ("fail", "warn"))
    if not failing + warning:
        skipped = all(one.state == "skipped" for one in found.values())
        if skipped:
            return Text("There was nothing to look at.")
        unseen = sum(one.state == "skipped" for one in found.values())
        return Text(f"What could be looked at is well; {unseen} of {len(found)} could not." if unseen * 2 > len(found) else "All is well.")
    said = [(f"{failing} to mend", "red")] * bool(failing) + [(f"{warning} to look at", "yellow")] * bool(warning)
    return Text(", ").join(Text(*one) for one in said).append(".")
