"""What Prometheus is told. Labels hold kinds and states, never ids or names."""

import asyncio
import time

from prometheus_client import Counter, Gauge, Histogram

from domain.errors import StoreUnavailable
from store.figures import Figures, of_all
from store.pool import Database

REQUESTS = Histogram("switchboard_http_request_seconds", "Time to answer an HTTP request.", ["method", "route", "status"])
ACCEPTED = Counter("switchboard_messages_accepted_total", "Messages stored durably.", ["channel", "duplicate"])
ACCEPT_SECONDS = Histogram(
    "switchboard_accept_seconds", "Time from a message's arrival to its commit.", buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
)
SOCKETS = Gauge("switchboard_chat_sockets", "Open web chat sockets in this process.")
UNKNOWN_EVENTS = Counter("switchboard_unknown_events_total", "Webhook events of a kind we do not know.", ["channel"])
UNANSWERED = Gauge("switchboard_messages_unanswered", "Messages that are due and have no answer yet, over all tenants.")
OLDEST_UNANSWERED = Gauge("switchboard_oldest_unanswered_seconds", "Age of the oldest of them; 0 without one.")
PARKED = Gauge("switchboard_messages_parked", "Messages that were set aside: they could not be answered or sent.")
UNKNOWN = Gauge("switchboard_messages_unknown", "Messages that may or may not have arrived; a member decides.")
APPROVALS = Gauge("switchboard_approvals_pending", "Approvals that wait for a verdict.")
OLDEST_APPROVAL = Gauge("switchboard_oldest_approval_seconds", "Age of the oldest of them; 0 without one.")
OLDEST_PROMISE = Gauge("switchboard_oldest_promise_seconds", "How long ago somebody should have looked at something; a sweep keeps it near 0.")
GAUGES = {
    UNANSWERED: "unanswered", OLDEST_UNANSWERED: "oldest_unanswered", PARKED: "parked", UNKNOWN: "unknown", APPROVALS: "approvals",
    OLDEST_APPROVAL: "oldest_approval", OLDEST_PROMISE: "oldest_promise",
}  # fmt: skip
KEPT_FOR = 5.0
"""Seconds for which what waits is not counted again, however many ask."""


class Watch:
    """What waits, from Postgres, as gauges. While Postgres is away they are not a number: nobody knows."""

    def __init__(self, db: Database) -> None:
        self._db, self._counted_at, self._alone = db, float("-inf"), asyncio.Lock()

    async def look(self) -> None:
        """Brings the gauges up to date, unless they just were."""
        async with self._alone:
            if time.monotonic() - self._counted_at < KEPT_FOR:
                return
            try:
                put(await asyncio.wait_for(of_all(self._db), KEPT_FOR))
            except (StoreUnavailable, TimeoutError):
                put(None)
            self._counted_at = time.monotonic()


def put(figures: Figures | None) -> None:
    """Sets the gauges."""
    for gauge, name in GAUGES.items():
        gauge.set(float("nan") if figures is None else getattr(figures, name))
