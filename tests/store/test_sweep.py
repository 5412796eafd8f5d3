"""What the sweep asks every two seconds in every worker is answered from indexes, however many sleep."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from store.migrate import upgrade
from store.pool import statement
from tests.store.rows import fill

MANY = 4000
NUMBERED = "(select n, now() + make_interval(secs => case when n < 0 then n else n + 3600 end) as at from generate_series(-3, {many}) n)"
CROWD = (
    "insert into sessions (tenant_id, id, agent_id, mode, scope, wake_at)"
    " select tenant_id, 's' || n, id, 'copilot', 's' || n, at from agents, " + NUMBERED,
    "insert into conversations (tenant_id, id, account_id, chat, wake_at) select tenant_id, 'c' || n, id, 'c' || n, at from accounts, " + NUMBERED,
    "insert into approvals (tenant_id, id, action, arguments_sha256, requester, approvers, deadline_at, wake_at)"
    " select tenant_id, 'a' || n, '', '', '', '{{}}', now(), at from agents, " + NUMBERED,
)


@pytest.fixture(scope="module")
def crowded(empty_database: Callable[[], str]) -> Iterator[psycopg.Connection[dict[str, Any]]]:
    """A tenant with thousands of promises, three of each kind past."""
    url = empty_database()
    upgrade(url)
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        fill(connection, "ten_crowd")
        for table, text in zip(("sessions", "conversations", "approvals"), CROWD, strict=True):
            connection.execute(f"alter table {table} disable trigger user".encode())
            connection.execute(text.format(many=MANY).encode())
        connection.execute("update sessions set last_used_at = now() - interval '40 days' where id = 's7'")
        connection.execute("analyze")
        yield connection


def explained(connection: psycopg.Connection[dict[str, Any]], text: str) -> str:
    return "\n".join(row["QUERY PLAN"] for row in connection.execute(f"explain {text}".encode()).fetchall())


@pytest.mark.parametrize("table", ["sessions", "conversations", "approvals"])
def test_past_promises_are_found_by_their_index(crowded: psycopg.Connection[dict[str, Any]], table: str) -> None:
    """The condition has to be the index's: a volatile clock would have all promises read."""
    plan = explained(crowded, statement(f"sweep/{table}") % {"tenant": "'ten_crowd'", "limit": "100"})

    assert re.search(rf"using {table}_promised[^\n]*\n\s*Index Cond: [^\n]*wake_at <", plan), plan
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"tenants"}, "tenants are few, and read once a minute"


def test_the_tenants_with_waiting_work_are_found_by_indexes(crowded: psycopg.Connection[dict[str, Any]]) -> None:
    body = crowded.execute("select prosrc from pg_proc where proname = 'tenants_with_waiting_work'").fetchone()
    assert body
    plan = explained(crowded, body["prosrc"].replace("p_expired_before", "(now() - interval '30 days')"))

    for index in ("sessions_promised", "conversations_promised", "approvals_promised", "sessions_unused"):
        assert re.search(rf"{index}[^\n]*\n\s*Index Cond: ", plan), plan
    assert set(re.findall(r"Seq Scan on (\w+)", plan)) <= {"tenants"}, "tenants are few, and read once a minute"


@pytest.mark.parametrize("table", ["sessions", "conversations", "approvals"])
def test_a_sweep_takes_what_is_past_pushes_it_back_and_shares_with_others(crowded: psycopg.Connection[dict[str, Any]], table: str) -> None:
    """Two workers that sweep at once get different rows, and neither waits."""
    text = statement(f"sweep/{table}")
    url = crowded.info.dsn + f" password={crowded.info.password}"
    with psycopg.connect(url, row_factory=dict_row) as one, psycopg.connect(url, row_factory=dict_row) as other:
        first = one.execute(text.encode(), {"tenant": "ten_crowd", "limit": 2}).fetchall()
        rest = other.execute(text.encode(), {"tenant": "ten_crowd", "limit": 100}).fetchall()
        one.commit()
        other.commit()

    assert (len(first), len(rest)) == (2, 1)
    taken = [row["id"] for row in first + rest]
    assert len(set(taken)) == len(taken)
    later = crowded.execute(f"select id from {table} where id = any (%s) and wake_at > now() + interval '1 s'".encode(), (taken,)).fetchall()
    assert len(later) == len(taken)
