"""Switchboard as `up` starts it, with a key of every role and a good client that has to be served throughout."""

import os
import time
from typing import Any, get_args

import psycopg

from domain.ids import new_id
from domain.roles import Role
from store.members import digest
from tests.crash.stack import Stack

PAGE = os.sysconf("SC_PAGE_SIZE")
WRITTEN = ("messages", "sessions", "conversations", "accounts", "agents", "bindings", "keys", "approvals", "idempotency", "people", "peers")
"""Tables that a refused request leaves as they were."""


class Target(Stack):
    """One `up`. `tenant` is the demo's; `keys` holds a key of each role, made once it runs."""

    def start(self) -> None:
        """Starts it, and makes the keys."""
        super().start()
        self.tenant: str = self.rows("select tenant_id from tenants where name = 'demo'")[0]["tenant_id"]
        self.account: str = self.rows("select id from accounts where name = 'web'")[0]["id"]
        self.agent: str = self.rows("select id from agents where name = 'demo'")[0]["id"]
        self.keys: dict[str, str] = {role: self.key(role) for role in get_args(Role)}

    def key(self, role: str) -> str:
        """A new key of a role."""
        made = f"sbk_{os.urandom(24).hex()}"
        statement = (
            "insert into keys (tenant_id, id, name, hash, prefix, role, member_id, scopes)"
            " select tenant_id, %s, %s, %s, %s, %s, id, '{}' from members where tenant_id = %s limit 1"
        )
        with psycopg.connect(self.told["database_url"], autocommit=True) as connection:
            connection.execute(statement, (new_id("key"), role, digest(made), made[:8], role, self.tenant))
        return made

    def counts(self) -> dict[str, int]:
        """How many rows each table has that an attack could write to."""
        return {table: int(self.rows(f"select count(*) as n from {table}")[0]["n"]) for table in WRITTEN}

    def memory(self) -> int:
        """Bytes that the API's processes hold."""
        return sum(process.memory_info().rss for process in self.part("API"))

    def served(self) -> dict[str, Any]:
        """What a good client is answered, asked as long as it takes for an answer."""
        ends = time.monotonic() + 30
        with self.api as client:
            while (answer := client.get("/v1/me")).status_code == 503 and time.monotonic() < ends:
                time.sleep(0.1)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())
