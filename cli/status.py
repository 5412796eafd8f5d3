"""`status`: one screen that says what runs, who is connected and what waits."""

import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.live import Live
from rich.text import Text

from cli.client import Api, speaking
from cli.output import out
from cli.spans import ago, left
from cli.tables import as_json, blank, entry, facts, named, one_line
from domain.errors import SwitchboardError, Unavailable

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
EVERY = 2.0
"""Seconds between two looks of --watch."""
PARTS = {"postgres": "Postgres", "temporal": "Temporal"}
LABEL = 11
"""Columns of the names at the left."""
PHASES = ("active", "awaiting_approval", "idle", "suspended", "handed_off")


@app.command()
@speaking
def status(
    api: Api, watch: Annotated[bool, typer.Option("--watch", help="Look again every two seconds, until Ctrl-C.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print what the API answers.")] = False,
) -> None:  # fmt: skip
    """Show what runs, who is connected and what waits for you. Exit code 0 when everything is up."""
    if watch:
        return _watch(api)
    if json_:
        as_json(api.get("/v1/status"))
    if not (not _away(api) if json_ else _look(api, out)):
        raise typer.Exit(1)
    return None


def _watch(api: Api) -> None:
    with suppress(KeyboardInterrupt), Live(console=out, auto_refresh=False, vertical_overflow="crop") as live:
        while True:
            live.update(_drawn(api), refresh=True)
            time.sleep(EVERY)


def _drawn(api: Api) -> Text:
    """The screen, or why there is none, as it would be printed."""
    console = Console(width=out.width, force_terminal=out.is_terminal, color_system="truecolor" if out.color_system else None, highlight=False)
    with console.capture() as captured:
        try:
            _look(api, console)
        except SwitchboardError as error:
            console.print(Text(f"{time.strftime('%H:%M:%S')}  {error}"))
    return Text.from_ansi(captured.get().rstrip("\n"))


def _look(api: Api, console: Console) -> bool:
    """Shows everything; whether all of it is up."""
    away = _away(api)
    try:
        me, standing, accounts = api.get("/v1/me"), api.get("/v1/status"), api.get("/v1/accounts", limit=200)
    except Unavailable:
        if "postgres" not in away:
            raise
        entry(Text("Switchboard", style="bold"), Text(api.place.api, style="dim"), [], console)
        console.print(_lights(away, None))
        return False
    entry(Text(f"Switchboard {standing['version']}", style="bold"), Text(api.place.api, style="dim"), [], console)
    console.print(_lights(away, standing["workers"]))
    blank(console)
    facts(_standing(me, standing), console, label=LABEL)
    blank(console)
    _accounts(accounts, console)
    facts(_places(api, standing, accounts), console, label=LABEL)
    return not away and bool(standing["workers"])


def _away(api: Api) -> list[str]:
    """What does not answer."""
    response = api.probe("/readyz")
    return list(response.json().get("away", [])) if response.status_code == 503 else []


def _lights(away: list[str], workers: int | None) -> Text:
    said: list[str | tuple[str, str]] = [("✓ ", "green"), "API"]
    for part, name in PARTS.items():
        said += [("   ✗ ", "red"), f"{name} does not answer"] if part in away else [("   ✓ ", "green"), name]
    if workers is not None:
        said += [("   ✓ ", "green"), f"{workers} worker{'s' * (workers > 1)}"] if workers else [("   ✗ ", "red"), "no worker runs"]
    return Text.assemble("  ", *said)


def _standing(me: Mapping[str, Any], standing: Mapping[str, Any]) -> Iterator[tuple[str, Text | str | None]]:
    yield "tenant", f"{standing['tenant']}, as {one_line(me['name'])} ({me['role']})"
    counts = [f"{standing['sessions'][phase]} {phase.replace('_', ' ')}" for phase in PHASES if standing["sessions"].get(phase)]
    yield "sessions", " · ".join(counts) or "none open"
    yield "approvals", _approvals(standing["approvals"])
    yield "messages", _messages(standing["messages"])
    if standing["waiting_to_be_let_in"]:
        yield "strangers", Text(f"{standing['waiting_to_be_let_in']} wait to be let in", style="yellow")


def _approvals(waiting: Mapping[str, Any]) -> Text | str:
    if not waiting["pending"]:
        return "none waits"
    asked, deadline = ago(waiting["oldest_at"]), left(waiting["next_deadline_at"])
    if waiting["pending"] == 1:
        return Text(f"1 waits, asked {asked}; {deadline}", style="yellow")
    return Text(f"{waiting['pending']} wait, the oldest asked {asked}; {deadline} for the next", style="yellow")


def _messages(counts: Mapping[str, Any]) -> Text | str:
    said: list[str | tuple[str, str]] = ["all answered"]
    if counts["unanswered"]:
        said = [f"{counts['unanswered']} unanswered, the oldest from {ago(counts['oldest_unanswered_at'])}"]
    for word, style in (("held", "yellow"), ("parked", "red"), ("unknown", "yellow")):
        if counts[word]:
            said += [" · ", (f"{counts[word]} {word}", style)]
    return Text.assemble(*said)


def _accounts(accounts: Mapping[str, Any], console: Console) -> None:
    for account in accounts["items"]:
        name = one_line(account["name"])
        entry(Text.assemble("  ", (f"{name:<{LABEL - 2}}", "bold"), f"  {account['channel']}"), named(account["state"]), [], console)
    if accounts["items"]:
        blank(console)


def _places(api: Api, standing: Mapping[str, Any], accounts: Mapping[str, Any]) -> list[tuple[str, str]]:
    chats = [account["chat_url"] for account in accounts["items"] if account.get("chat_url")]
    return [("console", f"{api.place.api}/console"), ("chat", chats[-1] if chats else ""), ("Temporal", standing["temporal_ui_url"])]
