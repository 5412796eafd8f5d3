"""In which traces the messages arrived that a step works for. Asked only while traces are on; away Postgres tells of none."""

from collections.abc import Sequence

from domain.errors import StoreUnavailable
from store.pool import Database


async def of_batch(db: Database, tenant: str, conversation: str, seqs: Sequence[int]) -> list[str]:
    """Of the messages of a conversation with these seqs, in order."""
    return await _told(db, tenant, "traces/of_batch", conversation=conversation, seqs=list(seqs))


async def of_call(db: Database, tenant: str, call: str) -> list[str]:
    """Of the verdict that allowed the call, where one did, and of the messages that the call's turn answers."""
    return await _told(db, tenant, "traces/of_call", call=call)


async def of_message(db: Database, tenant: str, message: str) -> list[str]:
    """Of the messages that an outbound one's turn answers."""
    return await _told(db, tenant, "traces/of_message", message=message)


async def _told(db: Database, tenant: str, name: str, **params: object) -> list[str]:
    try:
        async with db.transaction(tenant) as tx:
            return [str(row["traceparent"]) for row in await tx.rows(name, dict, **params)]
    except StoreUnavailable:
        return []
