"""Stored sessions in bulk: each with a settled conversation and an answered message, asleep."""

from typing import Any

import psycopg

SESSIONS = """
insert into sessions (tenant_id, id, agent_id, mode, scope, turn)
select t.tenant_id, 'ses_seed' || n, a.id, 'copilot', 'con_seed' || n, 1
  from tenants t join agents a on a.tenant_id = t.tenant_id and a.name = 'demo',
       generate_series(%(start)s::int, %(end)s::int) as n where t.name = 'demo'
"""
CONVERSATIONS = """
insert into conversations (tenant_id, id, account_id, chat, state, session_id, last_seq)
select t.tenant_id, 'con_seed' || n, c.id, 'vis_seed' || n, 'settled', 'ses_seed' || n, 2
  from tenants t join accounts c on c.tenant_id = t.tenant_id and c.name = 'web',
       generate_series(%(start)s::int, %(end)s::int) as n where t.name = 'demo'
"""
OUTBOUND = """
insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, text, state, session_id, turn, sent_at)
select t.tenant_id, 'msg_seedo' || n, 'con_seed' || n, c.id, 2, 'outbound', 'text', 'seeded', 'sent', 'ses_seed' || n, 1, now()
  from tenants t join accounts c on c.tenant_id = t.tenant_id and c.name = 'web',
       generate_series(%(start)s::int, %(end)s::int) as n where t.name = 'demo'
"""
INBOUND = """
insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, external_id, text, state, session_id, turn,
                      answered_by, due_at)
select t.tenant_id, 'msg_seedi' || n, 'con_seed' || n, c.id, 1, 'inbound', 'text', 'seed' || n, 'echo seeded', 'answered', 'ses_seed' || n, 1,
       'msg_seedo' || n, now()
  from tenants t join accounts c on c.tenant_id = t.tenant_id and c.name = 'web',
       generate_series(%(start)s::int, %(end)s::int) as n where t.name = 'demo'
"""
AT_A_TIME = 20_000


def seed(sql: psycopg.Connection[Any], count: int) -> None:
    """Stores so many sleeping sessions in the demo's tenant."""
    for start in range(1, count + 1, AT_A_TIME):
        bounds = {"start": start, "end": min(start + AT_A_TIME - 1, count)}
        for statement in (SESSIONS, CONVERSATIONS, OUTBOUND, INBOUND):
            sql.execute(statement, bounds)
    sql.execute("vacuum (analyze) sessions, conversations, messages, events")
