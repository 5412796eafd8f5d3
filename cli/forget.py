"""`forget`: deletes what a person wrote and what is known of them."""

import sys
from pathlib import Path
from typing import Annotated

import psycopg
import typer

from cli.checks import count
from cli.output import out
from cli.place import DATA, DataOption
from cli.tables import as_json, clean
from cli.tenancy import AS_OWNER, reach
from domain.errors import Forbidden, StartFailed, Unavailable
from store import forget as memory

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
TRIES = 3


@app.command()
def forget(
    who: Annotated[str, typer.Argument(metavar="WHO", help="A person's id or name, or a peer's external id.")],
    tenant: Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant, where there are several.")] = "",
    account: Annotated[str, typer.Option("--account", metavar="NAME", help="Only the peer of this account.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask again.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print what was forgotten as JSON.")] = False,
    data: DataOption = DATA,
) -> None:
    """Delete a person's messages, names, and what was asked and decided for them. Rows and counts stay; it cannot be undone."""
    with memory.opened(_owner(data)) as connection:
        where = _tenant(connection, tenant)
        known = memory.find(connection, where, who, account)
        if not yes and not _sure(known, who):
            raise typer.Exit(1)
        counts = _forgotten(connection, where, who, account)
    if json_:
        return as_json(counts)
    told = ", ".join(count(counts[table], one) for table, one in (("messages", "message"), ("calls", "call"), ("approvals", "approval")))
    out.print(f"Forgotten: {count(counts['conversations'], 'conversation')} with {told}.")
    if counts["shared"]:
        out.print(f"In {count(counts['shared'], 'conversation')} with others, their messages and the answers to them.")
    return out.print("Backups still hold it until they are deleted.")


def _owner(data: Path) -> str:
    found = reach(data.expanduser())
    if not found.owner_url:
        raise Forbidden("Only the owner of the database may do this; set SWITCHBOARD_OWNER_DATABASE_URL.")
    return found.owner_url


def _tenant(connection: memory.Connection, name: str) -> str:
    found = memory.tenants(connection, name)
    if len(found) == 1:
        return str(found[0]["tenant_id"])
    if not found:
        raise StartFailed(f"There is no tenant named {name}; correct the name." if name else "There is no tenant yet.")
    raise StartFailed(f"There are several tenants; name one with --tenant: {', '.join(row['name'] for row in found)}.")


def _sure(known: memory.Known, who: str) -> bool:
    if not sys.stdin.isatty():
        raise StartFailed("This cannot be undone; say --yes.")
    here = count(len(known.alone) + len(known.shared), "conversation")
    return typer.confirm(f"Forget {clean(who)} and {here}? This cannot be undone.")


def _forgotten(connection: memory.Connection, tenant: str, who: str, account: str) -> dict[str, int]:
    """Done again where it met somebody who held the same rows."""
    for _ in range(TRIES):
        try:
            return dict(memory.forget(connection, tenant, who, account, AS_OWNER)[1].counts)
        except (psycopg.errors.DeadlockDetected, psycopg.errors.LockNotAvailable):
            continue
    raise Unavailable("Somebody is writing there all the time; try again.")
