"""What the tour shows of the demo's payments."""

from store.pool import Transaction


async def paid(tx: Transaction, approval: str) -> int:
    """How often the refund that an approval is about was paid: rows of the demo's own table."""
    row = await tx.row("tour/paid", dict, approval=approval)
    return int(row["paid"]) if row else 0
