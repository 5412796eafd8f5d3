"""The sweep: a loop in every worker that mends what a lost poke left behind. It finds promises that are past, and nothing else."""

import asyncio
import random
from collections.abc import Awaitable, Sequence

import structlog
from temporalio.service import RPCError

from activities import Pokes
from domain.errors import StoreUnavailable
from store.pool import Database

log = structlog.get_logger()
AT_A_TIME = 100
"""The most promises of one kind that one tenant gets kept per round: one tenant's flood leaves room for the others."""
TIDY_EVERY = 60.0


class Sweep:
    """Keeps promises. Several workers sweep at once: skip locked shares the rows out."""

    def __init__(self, db: Database, pokes: Pokes, every: float, expires_after: float) -> None:
        self._db, self._pokes, self._every, self._expires_after = db, pokes, every, expires_after
        self._tidied_at = float("-inf")

    async def forever(self) -> None:
        """Sweeps until it is cancelled; what fails is tried in the next round."""
        while True:
            try:
                await self.once()
            except (StoreUnavailable, RPCError) as error:
                log.info("sweep.put_off", error=type(error).__name__)
            except Exception:
                log.exception("sweep.failed")
            await asyncio.sleep(self._every * random.uniform(0.8, 1.2))  # noqa: S311 -- spreads workers, hides nothing

    async def once(self) -> int:
        """One round over all tenants with waiting work. Returns how many pokes it sent."""
        tidy = asyncio.get_running_loop().time() - self._tidied_at > TIDY_EVERY
        tenants = await self._db.ids("sweep/tenants", unused_for=self._expires_after if tidy else None)
        random.shuffle(tenants)
        tidy = tidy and await self._rebuilt(tenants)
        poked = 0
        for tenant in tenants:
            poked += await self._tenant(tenant)
            if tidy:
                await self._tidy(tenant)
        if tidy:
            self._tidied_at = asyncio.get_running_loop().time()
        return poked

    async def _tenant(self, tenant: str) -> int:
        async with self._db.transaction(tenant) as tx:
            sessions = await tx.rows("sweep/sessions", dict, limit=AT_A_TIME)
            conversations = await tx.rows("sweep/conversations", dict, limit=AT_A_TIME)
            approvals = await tx.rows("sweep/approvals", dict, limit=AT_A_TIME)
        async with asyncio.TaskGroup() as group:
            for poke, rows in ((self._pokes.session, sessions), (self._pokes.routing, conversations), (self._pokes.approval, approvals)):
                for row in rows:
                    group.create_task(self._poke(poke(tenant, row["id"])))
        return len(sessions) + len(conversations) + len(approvals)

    async def _poke(self, poke: Awaitable[None]) -> None:
        try:
            await poke
        except (RPCError, RuntimeError) as error:
            log.info("sweep.poke_lost", error=type(error).__name__)

    async def _rebuilt(self, tenants: Sequence[str]) -> bool:
        """Where Temporal is not the one it was, its data was lost: what is open is promised anew, deadlines as they are. False while it is away."""
        try:
            home = await self._pokes.home()
        except (RPCError, RuntimeError) as error:
            log.info("sweep.put_off", error=type(error).__name__)
            return False
        for tenant in tenants if home else ():
            promised = (await self._db.call("sweep/rebuild", dict, {"tenant": tenant, "namespace": home}))["promised"]
            if promised:
                log.warning("sweep.rebuilt", tenant=tenant, promised=promised)
        return True

    async def _tidy(self, tenant: str) -> None:
        async with self._db.transaction(tenant) as tx:
            await tx.rows("sessions/expire_unused", dict, unused_for=self._expires_after, limit=AT_A_TIME)
            await tx.run("sweep/prune_events")
            await tx.run("sweep/prune_idempotency")
