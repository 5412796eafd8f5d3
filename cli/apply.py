"""`apply`: a file's worth of configuration, made true."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import psycopg
import typer
from rich.text import Text

from cli.output import out
from cli.place import DATA, DataOption, KeyOption, find, served_at
from cli.spec_file import SpecFile
from cli.tables import as_json
from cli.tenancy import Reach, Tenant, reach, tenant
from domain.errors import Invalid, StartFailed
from settings import Settings
from store import audit, members
from store.apply import Change, Spec
from store.apply import apply as make_true
from store.pool import Database
from store.seal import Seal

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
LINK_MINUTES = 60
SIGNS = {"created": ("+", "green"), "changed": ("~", "yellow")}


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="What there should be, in the form of demo.toml.")],
    name: Annotated[str, typer.Option("--tenant", metavar="NAME", help="The tenant, instead of the one the file names.")] = "",
    new_tenant: Annotated[bool, typer.Option("--new-tenant", help="Make the tenant where it is missing; prints a sign-in link.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would change.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Print the changes as JSON.")] = False,
    key: KeyOption = "", data: DataOption = DATA,
) -> None:  # fmt: skip
    """Create what is missing and change what differs; what the file does not name stays. Applying it twice changes nothing."""
    written = SpecFile(file)
    spec = written.spec(name)
    if new_tenant and not _admin(spec):
        raise written.wrong(("members",), "A new tenant needs a member with the role customer_admin, who can sign in.")
    try:
        done = asyncio.run(_applied(reach(data), spec, find("", key, data).key, new_tenant, dry_run))
    except Invalid as error:
        place = [int(part) if part.isdigit() else part for part in str(error.extra.get("field", "")).split(".") if part]
        raise written.wrong(place, error.detail) from error
    except psycopg.errors.UndefinedTable as error:
        raise StartFailed("The database has no schema yet; run `./switchboard migrate`.") from error
    if json_:
        changes = [change.model_dump() for change in done.changes]
        as_json({"tenant_id": done.tenant.id, "tenant": spec.tenant, "dry_run": dry_run, "changes": changes})
    else:
        _tell(done.changes, spec.tenant, file.name, dry_run)
    if done.link and not json_:
        out.print(Text(f"\n{_admin(spec)} signs in, once and within the hour, at"))
        out.print(f"  {served_at(data) or Settings().public_url}/console/sign-in#{done.link}")


@dataclass(frozen=True)
class Applied:
    """What came of it. `link` signs the first admin of a new tenant in; empty otherwise."""

    tenant: Tenant
    changes: Sequence[Change]
    link: str


async def _applied(reached: Reach, spec: Spec, key: str, create: bool, dry_run: bool) -> Applied:
    seal = Seal(reached.sealing_keys.split(",")) if any(account.secrets for account in spec.accounts) else None
    db = Database(reached.app_url, size=2, name="switchboard-apply")
    await db.open()
    try:
        found, link = await tenant(db, reached, spec.tenant, key, create=create and not dry_run), ""
        async with db.transaction(found.id) as tx:
            changes = await make_true(tx, spec, overwrite=True, seal=seal)
            if dry_run:
                raise psycopg.Rollback
            if changes:
                await audit.add(tx, found.actor, "applied", found.id, changes=[f"{one.kind} {one.name}" for one in changes])
            if found.new and (admin := await tx.row("members/by_name", members.MemberRow, name=_admin(spec))):
                link = await members.create_signin(tx, admin.id, LINK_MINUTES)
    finally:
        await db.close()
    return Applied(found, changes, link)


def _admin(spec: Spec) -> str:
    """The member of a file who can sign in and do everything; empty for none."""
    return next((member.name for member in spec.members if member.role != "customer_operator"), "")


def _tell(changes: Sequence[Change], name: str, file: str, dry_run: bool) -> None:
    if not changes:
        return out.print(Text(f"Nothing {'would change' if dry_run else 'changed'}: the tenant {name} is as {file} says."))
    for change in changes:
        sign, style = SIGNS[change.change]
        out.print(Text.assemble((f"{sign} ", style), (f"{change.kind:<8} ", "dim"), change.name))
    created = sum(change.change == "created" for change in changes)
    counts = " and ".join(f"{count} {word}" for count, word in ((created, "created"), (len(changes) - created, "changed")) if count)
    return out.print(f"In the tenant {name}, {'there would be ' if dry_run else ''}{counts}.")
