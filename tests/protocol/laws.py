"""What has to be true: at every moment, in one snapshot, and once everything is quiet."""

from collections import defaultdict
from typing import Any

from tests.protocol.crew import Effects
from tests.protocol.stage import Stage

ALWAYS: dict[str, str] = {
    "I1: seqs are dense in the order of commits": """
        select c.id from conversations c left join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
         where c.tenant_id = %(t)s group by c.id, c.last_seq having count(m.id) <> c.last_seq or coalesce(max(m.seq), 0) <> c.last_seq""",
    "I2: an open session with something to see to has a promise": """
        select s.id from sessions s where s.tenant_id = %(t)s and s.life = 'open' and s.wake_at is null and (s.step > 0 or exists (
          select from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id
           where c.tenant_id = s.tenant_id and c.session_id = s.id and c.state = 'settled' and m.state in ('pending', 'intent', 'sending')))""",
    "I2: with only later messages the promise is not later than the earliest": """
        select s.id from sessions s where s.tenant_id = %(t)s and s.life = 'open' and s.wake_at > now() + interval '61 s' and s.wake_at > (
          select min(m.due_at) from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
           where c.tenant_id = s.tenant_id and c.session_id = s.id)""",
    "I2: a held message has a promise, or its conversation was left so": """
        select c.id from conversations c where c.tenant_id = %(t)s and c.wake_at is null and c.state in ('undecided', 'settled')
           and exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'held')""",
    "unsent words are looked after": """
        select c.id from conversations c left join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id
         where c.tenant_id = %(t)s and c.wake_at is null and (s.id is null or s.life = 'closed' or s.wake_at is null)
           and exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state in ('intent', 'sending'))""",
    "pending messages belong to a session that is not closed": """
        select m.id from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
          left join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id
         where m.tenant_id = %(t)s and m.state = 'pending' and (c.state <> 'settled' or s.id is null or s.life = 'closed')""",
    "a settled conversation holds nothing": """
        select m.id from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
         where m.tenant_id = %(t)s and m.state = 'held' and c.state = 'settled'""",
    "a conversation has one open turn, and it is its session's": """
        select turn_conversation_id from sessions where tenant_id = %(t)s and step > 0 group by 1 having count(*) > 1
        union select s.id from sessions s join conversations c on c.tenant_id = s.tenant_id and c.id = s.turn_conversation_id
         where s.tenant_id = %(t)s and s.step > 0 and c.session_id is distinct from s.id""",
    "steps are dense": """
        select session_id from steps where tenant_id = %(t)s group by session_id, turn having count(*) <> max(n)""",
    "a closed session has nothing open": """
        select s.id from sessions s where s.tenant_id = %(t)s and s.life = 'closed' and (s.step > 0 or s.wake_at is not null
          or exists (select from approvals a where a.tenant_id = s.tenant_id and a.session_id = s.id and a.state = 'pending')
          or exists (select from calls k where k.tenant_id = s.tenant_id and k.session_id = s.id
                        and k.state in ('ready', 'asking', 'waiting', 'approved')))""",
    "an approval and its call agree": """
        select a.id from approvals a join calls k on k.tenant_id = a.tenant_id and k.id = a.call_id
         where a.tenant_id = %(t)s and a.purpose = 'gate' and ((a.state = 'pending') <> (k.state = 'waiting')
            or (a.verdict in ('denied', 'expired') and k.state <> 'denied')
            or (a.verdict = 'approved' and k.state not in ('approved', 'started', 'done', 'failed', 'unknown', 'cancelled')))""",
    "an approval that was decided has one verdict in its conversation": """
        select a.id from approvals a left join messages m on m.tenant_id = a.tenant_id and m.approval_id = a.id and m.kind = 'verdict'
         where a.tenant_id = %(t)s group by a.id, a.state having count(m.id) <> case when a.state in ('decided', 'expired') then 1 else 0 end""",
    "a tool that writes here did so once, exactly when it is done": """
        select k.id from calls k left join demo_refunds d on d.tenant_id = k.tenant_id and d.call_id = k.id
         where k.tenant_id = %(t)s and k.tool = 'refund' group by k.id, k.state having count(d.id) <> case k.state when 'done' then 1 else 0 end""",
    "an answered message names its answer in the same conversation, behind it": """
        select m.id from messages m left join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by and o.direction = 'outbound'
         where m.tenant_id = %(t)s and m.state = 'answered' and (o.id is null or o.conversation_id <> m.conversation_id or o.seq <= m.seq)""",
}
"""Each query finds what breaks its law; all of them look at one snapshot."""


def broken(stage: Stage) -> list[str]:
    """The laws that are broken now, with what breaks them."""
    query = " union all ".join(f"select %(law{n})s::text as law, x.id::text from ({text}) as x (id)" for n, text in enumerate(ALWAYS.values()))
    params = {"t": stage.tenant} | {f"law{n}": law for n, law in enumerate(ALWAYS)}
    return [f"{row['law']}: {row['id']}" for row in stage.owner.execute(query.encode(), params).fetchall()]


WAITS = """
    select m.id::text as id, m.kind || ' ' || m.state as why from messages m
     where m.tenant_id = %(t)s and m.state in ('accepted', 'held', 'pending', 'intent', 'sending')
    union all select id, 'pending approval' from approvals where tenant_id = %(t)s and state = 'pending'
    union all select id, 'open turn' from sessions where tenant_id = %(t)s and step > 0
    union all select id, 'promise' from sessions where tenant_id = %(t)s and wake_at is not null
    union all select id, 'promise' from conversations where tenant_id = %(t)s and wake_at is not null
    union all select id, state || ', and its turn was not stopped' from calls
     where tenant_id = %(t)s and (state in ('ready', 'asking', 'waiting', 'approved') or state = 'started' and stop_asked_at is null)"""


def waits(stage: Stage) -> list[str]:
    """What is not over yet."""
    return [f"{row['id']} {row['why']}" for row in stage.owner.execute(WAITS.encode(), {"t": stage.tenant}).fetchall()]


def unanswered_for_no_reason(stage: Stage, may_be_cancelled: bool) -> list[dict[str, Any]]:
    """Inbound messages that are neither answered nor cancelled by somebody who cancels."""
    explained = ["answered", "cancelled"] if may_be_cancelled else ["answered"]
    query = "select id, kind, state, error from messages where tenant_id = %s and direction = 'inbound' and not state = any (%s)"
    return stage.rows(query, explained)


def wrong_answers(stage: Stage) -> list[str]:
    """Messages that are not told exactly once, or by another message than they name, or out of order."""
    found: list[str] = []
    told: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in stage.rows("select id, conversation_id, text from messages where tenant_id = %s and direction = 'outbound' and text like 're %%'"):
        for seq in row["text"].split()[1:]:
            told[row["conversation_id"], int(seq)].append(row["id"])
    query = """
        select m.id, m.conversation_id, m.seq, m.kind, m.state, m.answered_by, o.seq as answer
          from messages m left join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by
         where m.tenant_id = %s and m.direction = 'inbound' order by m.conversation_id, m.seq"""
    last: dict[str, int] = {}
    for row in stage.rows(query):
        answers = told.pop((row["conversation_id"], row["seq"]), [])
        if answers != ([row["answered_by"]] if row["state"] == "answered" else []):
            found.append(f"{row['kind']} {row['id']} is {row['state']} by {row['answered_by']} and told by {answers}")
        if row["state"] == "answered" and row["kind"] in ("text", "note"):
            if row["answer"] < last.get(row["conversation_id"], 0):
                found.append(f"{row['id']} (seq {row['seq']}) is answered before an earlier one")
            last[row["conversation_id"]] = row["answer"]
    return found + [f"{place} was told and never asked" for place in told]


def wrong_effects(stage: Stage, effects: Effects) -> list[str]:
    """Calls whose effect outside does not fit what is written down of them."""
    found: list[str] = []
    query = """
        select k.id, k.tool, k.state, k.result, k.late_outcome, k.gate, a.verdict
          from calls k left join approvals a on a.tenant_id = k.tenant_id and a.call_id = k.id and a.purpose = 'gate' where k.tenant_id = %s"""
    for row in stage.rows(query):
        count = effects.done[row["id"]]
        if count > 1 and row["tool"] != "keyed":
            found.append(f"{row['tool']} {row['id']} happened {count} times")
        if count and (row["gate"] == "deny" or (row["gate"] == "ask" and row["verdict"] != "approved")):
            found.append(f"{row['tool']} {row['id']} happened although it was {row['verdict'] or 'denied'}")
        if row["tool"] in ("plain", "keyed", "asked") and row["state"] == "done" and count == 0 and "said_by" not in str(row["result"]):
            found.append(f"{row['tool']} {row['id']} is done and never happened")
    return found


def wrong_wire(stage: Stage, effects: Effects) -> list[str]:
    """Messages that went over the wire out of order, or that are sent and did not."""
    rows = {
        row["id"]: row
        for row in stage.rows("select id, seq, state, conversation_id, text from messages where tenant_id = %s and direction = 'outbound'")
    }
    found: list[str] = []
    last: dict[str, int] = {}
    for chat, id_ in effects.wire:
        if rows[id_]["seq"] < last.get(chat, 0):
            found.append(f"{id_} (seq {rows[id_]['seq']}) came over the wire behind seq {last[chat]}")
        last[chat] = max(last.get(chat, 0), rows[id_]["seq"])
    over = {id_ for _, id_ in effects.wire}
    wired = {row["id"] for row in stage.rows("select id from conversations where tenant_id = %s and chat like 'wire%%'")}
    missing = [row["id"] for row in rows.values() if row["conversation_id"] in wired and row["state"] == "sent" and row["id"] not in over]
    return found + [f"{id_} is sent and never came over the wire" for id_ in missing]
