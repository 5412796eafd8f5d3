"""How much waits, over all tenants: counts and ages for those who watch, and no tenant's own."""

from pydantic import BaseModel

from store.pool import Database


class Figures(BaseModel):
    """Counts, and the age of each oldest in seconds: 0 where there is none."""

    unanswered: int
    oldest_unanswered: float
    parked: int
    unknown: int
    approvals: int
    oldest_approval: float
    oldest_promise: float


async def of_all(db: Database) -> Figures:
    """What waits now. Partial indexes make it as cheap as what waits is little. Raises StoreUnavailable."""
    return await db.call("figures/of_all", Figures, {})
