"""Switchboard as `up` starts it, and what a fault test does to it: kills parts by name and asks Postgres what became of everything."""

import time
from typing import Any

import httpx
import psycopg

from embedded.running import Running

PARTS = ("worker", "API", "Temporal", "Postgres")
PATIENCE = 90.0


class Stack(Running):
    """One `up`, and what became of everything in it."""

    @property
    def api(self) -> httpx.Client:
        """A client with the admin's token."""
        return httpx.Client(base_url=self.told["api"], headers={"authorization": f"Bearer {self.told['admin_token']}"}, timeout=10)

    def rows(self, query: str, *params: Any) -> list[dict[str, Any]]:
        """Rows of a query as the owner sees them; tried until Postgres is there."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with psycopg.connect(self.told["database_url"], row_factory=psycopg.rows.dict_row, connect_timeout=3) as connection:
                    return connection.execute(query, params).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > ends:
                    raise
                time.sleep(0.1)

    def until(self, query: str, *params: Any) -> dict[str, Any]:
        """The first row of a query as soon as it has one."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            if rows := self.rows(query, *params):
                return rows[0]
            time.sleep(0.1)
        raise AssertionError(f"never came true: {query} {params}")

    def decide(self, approval: str, verdict: str) -> httpx.Response:
        """Decides as a person would: again and again until an answer comes."""
        ends = time.monotonic() + PATIENCE
        while True:
            try:
                with self.api as client:
                    answer = client.post(f"/v1/approvals/{approval}/decide", json={"verdict": verdict})
                if answer.status_code != 503:
                    return answer
            except httpx.HTTPError:
                pass
            if time.monotonic() > ends:
                raise AssertionError("the decision was never taken")
            time.sleep(0.2)
