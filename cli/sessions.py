"""`sessions`: what agents remember and do, and how to pause, resume and close it."""

from typing import Annotated, Any, Literal

import typer
from rich.text import Text

from cli import session_screen as view
from cli.client import Api, speaking
from cli.groups import noun
from cli.output import out
from cli.pairs import pairs
from cli.tables import as_json, blank, more
from domain.sessions import Mode, Phase

app = noun("What agents remember and do; pause, resume and close it. Without a command: the list.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The session, such as ses_01k….")]
Json = Annotated[bool, typer.Option("--json", help="Print what the API answers.")]
Cursor = Annotated[str | None, typer.Option(metavar="CURSOR", help="Go on where the page before ended, as it says.")]
Limit = Annotated[int, typer.Option(min=1, max=200, metavar="N", help="How many, up to 200.")]
Verb = Literal["suspend", "resume", "close", "cancel-turn"]
DONE: dict[Verb, str] = {"suspend": "Suspended.", "resume": "It goes on.", "close": "Closed.", "cancel-turn": "No turn is open now."}


@app.command("list")
@speaking
def list_(
    api: Api, phase: Annotated[Phase | None, typer.Option(metavar="PHASE", help="Only active, idle, … ones.")] = None,
    mode: Annotated[Mode | None, typer.Option(metavar="MODE", help="Only copilot, one-shot, … ones.")] = None,
    agent: Annotated[str | None, typer.Option(metavar="AGENT", help="Only those of this agent, by name or id.")] = None,
    cursor: Cursor = None, limit: Limit = 50, json_: Json = False,
) -> None:  # fmt: skip
    """Sessions, newest first."""
    body = api.get("/v1/sessions", phase=phase, mode=mode, agent=agent, cursor=cursor, limit=limit)
    if json_:
        return as_json(body)
    for number, seen in enumerate(body["items"]):
        if number:
            blank()
        view.list_entry(seen)
    if not body["items"]:
        out.print("There is no such session." if phase or mode or agent else "There is no session yet; one begins when somebody writes.")
    return more(body)


@app.command()
@speaking
def show(api: Api, session: Id, json_: Json = False) -> None:
    """One session: its phase, context and plan."""
    seen = api.get(f"/v1/sessions/{session}")
    as_json(seen) if json_ else view.screen(seen)


@app.command()
@speaking
def history(api: Api, session: Id, cursor: Cursor = None, limit: Limit = 200, json_: Json = False) -> None:
    """What was said, called and decided, oldest first."""
    body = api.get(f"/v1/sessions/{session}/history", cursor=cursor, limit=limit)
    if json_:
        return as_json(body)
    agent = api.get(f"/v1/sessions/{session}")["agent"]
    view.history(body["items"], agent)
    if not body["items"]:
        out.print("Nothing has happened in it yet.")
    return more(body)


@app.command()
@speaking
def suspend(api: Api, session: Id, json_: Json = False) -> None:
    """Pause it: messages are kept, nothing is thought or done."""
    _change(api, session, "suspend", json_)


@app.command()
@speaking
def resume(
    api: Api, session: Id, context: Annotated[list[str] | None, typer.Option(metavar="NAME=TEXT|NAME:=JSON", help="Add to its context.")] = None,
    json_: Json = False,
) -> None:  # fmt: skip
    """Let it go on, with something to know if you like."""
    _change(api, session, "resume", json_, {"context": pairs(context or [], "--context")})


@app.command()
@speaking
def close(api: Api, session: Id, json_: Json = False) -> None:
    """End it; it stays readable, and a new message starts another."""
    _change(api, session, "close", json_)


@app.command("cancel-turn")
@speaking
def cancel_turn(api: Api, session: Id, json_: Json = False) -> None:
    """Stop what it is doing now, with what it asked and did not begin."""
    _change(api, session, "cancel-turn", json_)


def _change(api: Api, session: str, verb: Verb, json_: bool, body: dict[str, Any] | None = None) -> None:
    seen = api.post(f"/v1/sessions/{session}/{verb}", body)
    if json_:
        return as_json(seen)
    out.print(Text(DONE[verb]))
    return view.list_entry(seen)
