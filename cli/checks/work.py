"""The work of all tenants: what waits too long, what was set aside, and what nobody knows the fate of."""

from typing import Any, LiteralString

from cli.checks import Finding, count, fail, ok, warn
from cli.checks.ground import Ground
from cli.spans import in_words

LONG, TOO_LONG = 300.0, 1800.0
"""Seconds without an answer that deserve a look, and that nobody should have to wait."""
LATE, TOO_LATE = 15.0, 120.0
"""Seconds after which a promise should have been kept: workers sweep every two."""
UNANSWERED = """
select count(*) over () as n, m.id, c.session_id, extract(epoch from statement_timestamp() - greatest(m.accepted_at, m.due_at))::float8 as since
  from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
  left join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id
 where m.state = 'pending' and m.kind in ('text', 'note') and m.due_at <= statement_timestamp()
   and c.handed_off_to is null and coalesce(s.life, 'open') not in ('suspended', 'handed_off')
 order by greatest(m.accepted_at, m.due_at) limit 1"""
PROMISES = """
select count(*) as n, extract(epoch from statement_timestamp() - min(wake_at))::float8 as since
  from (select wake_at from sessions where wake_at < statement_timestamp() and life <> 'closed'
        union all select wake_at from conversations where wake_at < statement_timestamp()
        union all select wake_at from approvals where wake_at < statement_timestamp()) late"""
SET_ASIDE = """
select count(*) over () as n, m.id, extract(epoch from statement_timestamp() - m.accepted_at)::float8 as since
  from messages m where m.state = %(state)s order by m.accepted_at limit 1"""


async def _first(ground: Ground, query: LiteralString, **params: str) -> dict[str, Any]:
    """The row of a question to all tenants; an `n` of 0 where there is none."""
    owner = await ground.owner()
    return await (await owner.execute(query, params)).fetchone() or {"n": 0}


async def unanswered(ground: Ground) -> Finding:
    """Nobody waits long for an answer, but for those whose session was paused or is with a member."""
    row = await _first(ground, UNANSWERED)
    if not row["n"]:
        return ok("No message waits for an answer.")
    found = f"{count(row['n'], 'message waits', 'messages wait')} for an answer, the oldest for {in_words(row['since'])}."
    if row["since"] <= LONG:
        return ok(found)
    where = f"`./switchboard sessions history {row['session_id']}`" if row["session_id"] else f"the conversation of {row['id']}"
    return (fail if row["since"] > TOO_LONG else warn)(found, f"See that a worker runs, then look at {where}.")


async def promises(ground: Ground) -> Finding:
    """Somebody sweeps: no promise to look at something is long past."""
    row = await _first(ground, PROMISES)
    if not row["n"] or row["since"] <= LATE:
        return ok("Every promise to look at something is kept.")
    found = f"{count(row['n'], 'promise is', 'promises are')} past, the oldest since {in_words(row['since'])}."
    return (fail if row["since"] > TOO_LATE else warn)(found, "Start a worker, or see in its log why it does not sweep.")


async def parked(ground: Ground) -> Finding:
    """No message was set aside because it could not be answered or sent."""
    row = await _first(ground, SET_ASIDE, state="parked")
    if not row["n"]:
        return ok("No message is parked.")
    found = f"{count(row['n'], 'message is', 'messages are')} parked, the oldest, {row['id']}, for {in_words(row['since'])}."
    return warn(found, "See each one's error, mend that, and let POST /v1/messages/ID/resend take it up again.")


async def unknown(ground: Ground) -> Finding:
    """Of every message that was sent, the fate is known."""
    row = await _first(ground, SET_ASIDE, state="unknown")
    if not row["n"]:
        return ok("The fate of every message that was sent is known.")
    found = f"{count(row['n'], 'message')} may or may not have arrived, the oldest, {row['id']}, from {in_words(row['since'])} ago."
    return warn(found, "Look in the channel, then say so with POST /v1/messages/ID/mark-sent, /resend or /drop.")
