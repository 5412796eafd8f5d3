"""Model requests in Postgres: what they cost, the lost ones too."""

from datetime import datetime

from pydantic import BaseModel

from store.pool import Transaction


class ModelUsage(BaseModel):
    """What one model was asked and cost in a span; `cost_usd` is null where no price is known, `used` counts requests whose answer counted."""

    model: str
    requests: int
    used: int
    tokens_in: int
    tokens_out: int
    cost_usd: float | None


async def usage(tx: Transaction, since: datetime, until: datetime) -> list[ModelUsage]:
    """By model, the dearest first."""
    return await tx.rows("requests/usage", ModelUsage, since=since, until=until)
