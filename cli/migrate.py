"""`migrate`: the schema, up to what this version expects, or back down to what an earlier one does."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from cli.output import out
from cli.prepare import app_password
from domain.errors import StartFailed
from embedded.database import started_over
from settings import Settings
from store.migrate import above, down_to, upgrade

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)


@app.command()
def migrate(
    to: Annotated[
        str, typer.Option("--down-to", metavar="NUMBER", help="Undo every migration behind this one, to go back to an older version.")
    ] = "",
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The database of this folder, which `up` keeps, while it is stopped.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before something is undone.")] = False,
) -> None:
    """Bring the schema up to date, as the database's owner (SWITCHBOARD_OWNER_DATABASE_URL, else DATABASE_URL)."""
    settings = Settings()
    with _owner(settings, data) as owner:
        if to:
            _down(owner, to, yes=yes)
        else:
            applied = upgrade(owner, "" if data else app_password(settings))
            out.print("\n".join(f"applied {name}" for name in applied) if applied else "The schema is up to date.")


def _down(owner: str, to: str, *, yes: bool) -> None:
    """Undoes what is behind it, unless the person would rather not."""
    going = above(owner, to)
    if not going:
        out.print(f"The schema is at {to} already.")
        return
    if not yes and not _sure(going):
        raise typer.Exit(1)
    out.print("\n".join(f"undone {name}" for name in down_to(owner, to)))


def _sure(going: list[str]) -> bool:
    if not sys.stdin.isatty():
        raise StartFailed("What the undone migrations added is lost; stop every process, make a backup, then say --yes.")
    return typer.confirm(f"Undo {', '.join(going)}, with everything that only they can hold? Every process has to be stopped.")


@contextmanager
def _owner(settings: Settings, data: Path | None) -> Iterator[str]:
    """The owner's address; with a folder, that of its Postgres, which runs for so long. Raises StartFailed where it is none, or in use."""
    if data is None:
        found = settings.owner_database_url.get_secret_value() or settings.database_url.get_secret_value()
        if not found:
            raise StartFailed("Set SWITCHBOARD_OWNER_DATABASE_URL to the connection of the role that owns the schema.")
        yield found
        return
    if not (data.expanduser() / "postgres").exists():
        raise StartFailed(f"{data} holds no database of `up`; name its folder with --data.")
    with started_over(data) as url:
        yield url
