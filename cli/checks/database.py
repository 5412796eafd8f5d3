"""Postgres: its version and durability, the app's role, the schema, and the rows that tenants keep from each other."""

from urllib.parse import urlsplit

from cli.checks import Finding, Skipped, are, fail, listed, ok
from cli.checks.ground import ONLY_THE_OWNER, Connection, Ground
from domain.errors import StoreUnavailable, SwitchboardError
from store.migrate import FOLDER

OLDEST = 16
DURABLE = ("fsync", "full_page_writes", "synchronous_commit")
ROLE = """
select rolname as name, rolsuper, rolbypassrls, rolcreaterole, has_schema_privilege(oid, 'public', 'create') as makes,
       array(select c.relname::text from pg_class c
              where c.relowner = r.oid and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm') order by 1) as owns,
       array(select o.rolname::text from pg_roles o where o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member') and (o.rolsuper or o.rolbypassrls
              or exists (select from pg_class c where c.relowner = o.oid and c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')))
              order by 1) as stands_for
  from pg_roles r where rolname = current_user"""
TABLES = """
select c.relname::text as name, c.relrowsecurity as "on", c.relforcerowsecurity as forced, pg_get_userbyid(c.relowner) = current_user as own,
       array(select p.polname::text from pg_policy p where p.polrelid = c.oid
                and (p.polroles = '{0}' or exists (select from unnest(p.polroles) r where pg_has_role(%(app)s, r, 'usage')))
                and concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) not like '%%app.tenant_id%%'
              order by 1) as open
  from pg_class c where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p')
   and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped) order by 1"""


async def postgres(ground: Ground) -> Finding:
    """Postgres answers, is new enough, and writes a commit to disk before it says that it has."""
    try:
        place = urlsplit(ground.reach().app_url)
    except StoreUnavailable as error:
        return _away(ground, error)
    except SwitchboardError as error:
        return fail("It is not known how to reach Postgres.", str(error))
    app = await ground.app()
    version = app.info.server_version // 10_000
    said = app.info.parameter_status("server_version") or str(version)
    if version < OLDEST:
        return fail(f"This is Postgres {said}.", f"Move the database to Postgres {OLDEST} or newer.")
    lax = [name for name in DURABLE if await _setting(app, name) == "off"]
    if lax:
        return fail(f"{are(lax)} off: a power cut loses accepted messages.", "Set it to on, for the app's role too.")
    return ok(f"Postgres {said.split()[0]} at {place.hostname or 'a socket'}:{place.port or 5432} keeps every commit.")


def _away(ground: Ground, error: StoreUnavailable) -> Finding:
    if ground.near_postgres:
        return fail(f"Postgres does not {'let us in' if ground.runs('Postgres') else 'run'}.", f"Read the end of {ground.log('postgres')}.")
    found, _, mend = str(error).partition("; ")
    return fail(f"{found}.", mend[:1].upper() + mend[1:])


async def _setting(app: Connection, name: str) -> str:
    row = await (await app.execute("select current_setting(%s) as it", (name,))).fetchone()
    return str(row["it"]) if row else ""


async def role(ground: Ground) -> Finding:
    """The app's role can do nothing that row-level security does not bind."""
    app = await ground.app()
    row = await (await app.execute(ROLE)).fetchone()
    assert row
    name, powers = row["name"], {"rolsuper": "is a superuser", "rolbypassrls": "bypasses row-level security", "rolcreaterole": "may make roles"}
    wrong = [said for power, said in powers.items() if row[power]]
    wrong += [f"owns {listed(row['owns'])}"] if row["owns"] else []
    wrong += [f"may act as {listed(row['stands_for'])}"] if row["stands_for"] else []
    wrong += ["may make tables and functions"] if row["makes"] else []
    if wrong:
        return fail(f"The app's role {name} {listed(wrong, 9)}.", "Take that from it, or let DATABASE_URL name a role that owns nothing.")
    return ok(f"{name} owns nothing and bypasses nothing.")


async def schema(ground: Ground) -> Finding:
    """The migrations of this version are applied, all of them and no others."""
    app = await ground.app()
    row = await (await app.execute("select to_regclass('public.tenants') is not null as there")).fetchone()
    known = {path.stem for path in FOLDER.glob("*.sql") if not path.stem.endswith(".rollback")}
    if not (row and row["there"]):
        return fail(f"The database has no schema yet; {len(known)} migrations are to be applied.", "Run `./switchboard migrate`.")
    if not ground.reach().owner_url:
        raise Skipped(ONLY_THE_OWNER)
    owner = await ground.owner()
    applied = {str(one["migration_id"]) for one in await (await owner.execute("select migration_id from _yoyo_migration")).fetchall()}
    if newer := sorted(applied - known):
        mend = "Start that version, undo its migrations with its own `./switchboard migrate --down-to`, or restore a backup."
        return fail(f"The data was written by a newer version: it has {newer[-1]}.", mend)
    if missing := sorted(known - applied):
        mend = "Run `./switchboard migrate`; `./switchboard up` does it by itself."
        return fail(f"Of {len(known)} migrations {len(missing)} {'is' if len(missing) == 1 else 'are'} not applied: {listed(missing)}.", mend)
    return ok(f"All {len(known)} migrations are applied.")


async def isolation(ground: Ground) -> Finding:
    """Row-level security is on and forced for every table with a tenant, and no policy shows the app more than one."""
    app = await ground.app()
    tables = await (await app.execute(TABLES, {"app": app.info.user})).fetchall()
    if not tables:
        raise Skipped("The schema is not there yet.")
    if off := [table["name"] for table in tables if not table["on"]]:
        return fail(f"Row-level security is off for {listed(off)}.", f"As the owner: {_alter(off, 'enable')}.")
    if lax := [table["name"] for table in tables if not table["forced"]]:
        return fail(f"Row-level security does not bind the owner of {listed(lax)}.", f"As the owner: {_alter(lax, 'force')}.")
    if open_ := [table for table in tables if table["open"] and not table["own"]]:  # the owner's own policy is for migrations
        names, policy = [table["name"] for table in open_], open_[0]["open"][0]
        return fail(f"A policy shows the app every tenant's {listed(names)}.", f"As the owner: `drop policy {policy} on {names[0]}`.")
    return ok(f"Row-level security guards all {len(tables)} tables with a tenant.")


def _alter(tables: list[str], verb: str) -> str:
    return f"`alter table {tables[0]} {verb} row level security`" + (", and so for the others" if len(tables) > 1 else "")
