"""Forgetting a person: what they wrote, and what was written, asked and decided for them, is emptied; rows, ids and counts stay.

Done by the owner of the database, since the app's role may change neither votes nor the audit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from domain.errors import Conflict, NotFound
from store.pool import statement

ERASING = (
    "forget/empty_messages", "forget/empty_shared", "forget/drop_drafts", "forget/empty_votes", "forget/empty_refunds", "forget/empty_audit",
    "forget/empty_applied", "forget/empty_approvals", "forget/empty_calls", "forget/empty_sessions", "forget/empty_conversations",
    "forget/unname_shared", "forget/drop_peers", "forget/empty_people",
)  # fmt: skip
"""In this order: those that find their rows by others come before these."""
TABLES = ("messages", "conversations", "sessions", "calls", "approvals", "votes", "peers", "people", "audit", "demo_refunds")
COUNTED = {"messages": "forget/empty_messages", "calls": "forget/empty_calls", "approvals": "forget/empty_approvals"}

Row = Mapping[str, Any]
Connection = psycopg.Connection[dict[str, Any]]


@dataclass(frozen=True)
class Known:
    """Who is meant, and where they wrote. `alone` are conversations with nobody else, `shared` those that others write in too."""

    tenant: str
    people: Sequence[str]
    names: Sequence[str]
    peers: Sequence[tuple[str, str]]
    alone: Sequence[str]
    shared: Sequence[str]

    @property
    def subject(self) -> str:
        """An id to name them by, without anything that says who they were."""
        return self.people[0] if self.people else self.peers[0][0]


@dataclass(frozen=True)
class Forgotten:
    """How many rows were emptied, by table."""

    counts: Mapping[str, int] = field(default_factory=dict)


def opened(owner_url: str) -> Connection:
    """The owner's connection."""
    return psycopg.connect(owner_url, autocommit=True, row_factory=dict_row)


def tenants(connection: Connection, name: str) -> list[Row]:
    """The tenants of that name or id; all for an empty one."""
    return [*connection.execute(statement("forget/tenants"), {"tenant": name})]


def find(connection: Connection, tenant: str, who: str, account: str) -> Known:
    """The person of that id or name, else the peer as its channel names it; `account` says on which account.

    Raises NotFound, and Conflict where several people have the name, or where they sign in here and are more than somebody who writes.
    """
    asked: dict[str, Any] = {"tenant": tenant, "who": who, "account": account}
    people = [*connection.execute(statement("forget/people"), asked)]
    if len(people) > 1:
        raise Conflict(f"Several people have this name; name one by its id: {', '.join(row['id'] for row in people)}.")
    peers = [*connection.execute(statement("forget/peers"), asked | {"people": [row["id"] for row in people]})]
    if any(row["signs_in"] for row in people) or any(row["owner"] for row in peers):
        raise Conflict("They sign in here or own an account; remove the member or the account's owner identity first.")
    if not people and not peers:
        raise NotFound("Nobody here is known by this; give a person's id or name, or a peer's external id (GET /v1/accounts/{id}/peers tells them).")
    names = {"accounts": [row["account_id"] for row in peers], "peers": [row["external_id"] for row in peers]}
    places = [*connection.execute(statement("forget/conversations"), {"tenant": tenant, **names})]
    return Known(
        tenant=tenant,
        people=[row["id"] for row in people],
        names=[row["name"] for row in people if row["name"]],
        peers=[(row["account_id"], row["external_id"]) for row in peers],
        alone=sorted({row["id"] for row in places if row["alone"]}),
        shared=sorted({row["id"] for row in places if not row["alone"]}),
    )


def forget(connection: Connection, tenant: str, who: str, account: str, actor: str) -> tuple[Known, Forgotten]:
    """Empties everything of theirs in one commit, and writes down that it was done. Raises as `find` does, and psycopg's
    DeadlockDetected or LockNotAvailable, with nothing changed, where somebody else holds the rows.

    Sessions are closed first, so that a turn under way finds nothing to end; open approvals are cancelled with them.
    """
    with connection.transaction():
        connection.execute("set local lock_timeout = '10 s'")
        known = find(connection, tenant, who, account)
        params: dict[str, Any] = {
            "tenant": tenant, "people": list(known.people), "conversations": list(known.alone), "shared": list(known.shared),
            "accounts": [account_id for account_id, _ in known.peers], "peers": [external for _, external in known.peers],
            "named": [f"person {name}" for name in known.names],
        }  # fmt: skip
        held = [*connection.execute(statement("forget/sessions"), params)]
        for session in held:
            if session["open"]:
                connection.execute(statement("forget/close"), {"tenant": tenant, "session": session["id"]})
        params["sessions"] = [session["id"] for session in held]
        rows = {name: connection.execute(statement(name), params).rowcount for name in ERASING}
        counts = {"conversations": len(known.alone), "shared": len(known.shared), "sessions": len(held)}
        counts |= {table: rows[name] for table, name in COUNTED.items()}
        told = {"tenant": tenant, "actor": actor, "action": "person.forgotten", "subject": known.subject, "details": Jsonb(counts)}
        connection.execute(statement("audit/add"), told)
    connection.execute(f"vacuum {', '.join(TABLES)}".encode())  # what a row held before stays in its page until then
    return known, Forgotten(counts)
