"""What opens doors: API keys that end, and the keys that open what is sealed."""

from cli.checks import Finding, Skipped, count, fail, ok, warn
from cli.checks.ground import Ground
from cli.spans import in_words
from domain.errors import StartFailed
from store.seal import Seal

SOON = 14
"""Days before its end at which an API key deserves a look."""
KEYS = """
select count(*) as n, count(*) filter (where expires_at <= now()) as expired,
       count(*) filter (where expires_at > now() and expires_at <= now() + make_interval(days => %(soon)s)) as soon,
       (array_agg(id order by expires_at) filter (where expires_at <= now() + make_interval(days => %(soon)s)))[1] as first,
       extract(epoch from min(expires_at) filter (where expires_at > now()) - now())::float8 as left
  from keys where revoked_at is null"""
SEALED = "select id, sealed from accounts where sealed is not null order by tenant_id, id"


async def api_keys(ground: Ground) -> Finding:
    """No API key has expired, or is about to."""
    owner = await ground.owner()
    row = await (await owner.execute(KEYS, {"soon": SOON})).fetchone()
    assert row
    mend = f"Make a new one where it is used, and revoke the old one; the first to end is {row['first']}."
    if row["expired"]:
        also = f", and {row['soon']} will within {SOON} days" if row["soon"] else ""
        return warn(f"{count(row['expired'], 'API key has', 'API keys have')} expired{also}.", mend)
    if row["soon"]:
        return warn(f"{count(row['soon'], 'API key')} will expire, the first in {in_words(row['left'])}.", mend)
    return ok(f"{count(row['n'], 'API key')}; none ends within {SOON} days.")


async def sealed(ground: Ground) -> Finding:
    """The sealing keys open the secrets of every account."""
    owner = await ground.owner()
    rows = await (await owner.execute(SEALED)).fetchall()
    if not rows:
        return ok("No account has secrets to open.")
    keys = [key for key in ground.reach().sealing_keys.split(",") if key]
    if not keys:
        raise Skipped("No sealing key is known here; set SWITCHBOARD_SEALING_KEYS.")
    try:
        newest, all_ = Seal(keys[:1]), Seal(keys)
    except StartFailed:
        return fail("SWITCHBOARD_SEALING_KEYS holds no usable Fernet key.", "Restore the keys this data was sealed with.")
    shut = [row["id"] for row in rows if not _opens(all_, row["sealed"])]
    if shut:
        found = f"The secrets of {count(len(shut), 'account')} of {len(rows)} cannot be opened, first {shut[0]}."
        return fail(found, "Put the key they were sealed with behind the others in SWITCHBOARD_SEALING_KEYS.")
    older = sum(not _opens(newest, row["sealed"]) for row in rows)
    return ok(f"The secrets of {count(len(rows), 'account')} can be opened{f', {older} with an older key' if older else ''}.")


def _opens(seal: Seal, closed: bytes) -> bool:
    try:
        seal.open(closed)
    except (StartFailed, ValueError):
        return False
    return True
