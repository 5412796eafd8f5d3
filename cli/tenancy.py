"""Whose configuration may be written, and through which connection: by a key of the tenant, or as the owner of the database."""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg

from cli.place import kept_keys, postgres_port
from cli.prepare import tenant_named
from domain.errors import Forbidden, StartFailed, StoreUnavailable, Unauthorized
from domain.roles import RANK
from embedded.postgres import APP, DATABASE, OWNER
from embedded.stack import as_role
from settings import Settings
from store import members
from store.pool import Database

CONNECT_WITHIN = 5
AS_OWNER = "owner of the database"


@dataclass(frozen=True)
class Reach:
    """A database: the app's connection, the owner's where it is known, and the keys that seal secrets."""

    app_url: str
    owner_url: str
    sealing_keys: str


def reach(data: Path) -> Reach:
    """The database that the environment names, else the one that runs over the data folder. Raises StartFailed, StoreUnavailable."""
    settings, kept = Settings(), kept_keys(data)
    sealing = settings.sealing_keys.get_secret_value() or kept.get("sealing_keys", "")
    app, owner = settings.database_url.get_secret_value(), settings.owner_database_url.get_secret_value()
    if app and not owner and kept and urlsplit(app).username != APP:
        app, owner = as_role(app, APP, kept["app_password"]), app  # as `up` does with a DATABASE_URL
    if not app:
        port = postgres_port(data)
        if not (kept and port):
            raise StartFailed("No database is known; start it with `./switchboard up`, name its folder with --data, or set DATABASE_URL.")
        app, owner = (f"postgresql://{role}:{quote(kept[word], safe='')}@127.0.0.1:{port}/{DATABASE}" for role, word in _ROLES)
    _require(app)
    return Reach(app, owner, sealing)


_ROLES = ((APP, "app_password"), (OWNER, "owner_password"))


def _require(url: str) -> None:
    """Asks once whether the database answers: a pool would try for longer than a person waits."""
    try:
        psycopg.connect(url, connect_timeout=CONNECT_WITHIN).close()
    except (psycopg.OperationalError, psycopg.ProgrammingError) as error:
        place = urlsplit(url)
        where = f"{place.hostname}:{place.port or 5432}" if place.hostname else "the place that DATABASE_URL names"
        raise StoreUnavailable(f"Postgres at {where} does not let us in; start it with `./switchboard up`, or correct DATABASE_URL.") from error


@dataclass(frozen=True)
class Tenant:
    """A tenant that may be written, by whom, and whether it was made just now."""

    id: str
    actor: str
    new: bool = False


async def tenant(db: Database, reached: Reach, name: str, key: str, *, create: bool) -> Tenant:
    """The tenant of that name: the key's own, else any that the owner of the database sees; with `create` it may be made.

    Raises Unauthorized or Forbidden where neither the key nor the owner's connection reaches it, StartFailed where it is not there.
    """
    own = await _of_key(db, key) if key else None
    if own and own[1] == name:
        return own[0]
    if not reached.owner_url:
        raise Forbidden(f"The key is of the tenant {own[1]}, and the file is for {name}; use a key of {name}.") if own else Unauthorized(
            f"Give a key of the tenant {name} with --key or SWITCHBOARD_KEY, or set SWITCHBOARD_OWNER_DATABASE_URL."
        )
    with psycopg.connect(reached.owner_url) as connection:
        row = connection.execute("select tenant_id from tenants where name = %s", (name,)).fetchone()
    if row is None and not create:
        raise StartFailed(f"There is no tenant named {name}; correct the name, or make it with --new-tenant.")
    return Tenant(str(row[0]), AS_OWNER) if row else Tenant(tenant_named(reached.owner_url, name), AS_OWNER, new=True)


async def _of_key(db: Database, key: str) -> tuple[Tenant, str] | None:
    found = await members.tenant_of_key(db, key)
    if found is None:
        return None
    async with db.transaction(found) as tx:
        live = await members.live_key(tx, key)
        row = await tx.row("members/tenant", dict)
    if live is None or row is None:
        return None
    if RANK[live.role] < RANK["customer_admin"]:
        raise Forbidden("The key's role does not allow this; use one of a customer_admin.")
    return Tenant(found, live.member_id), str(row["name"])
