"""What Prometheus is told. Labels hold kinds and states, never ids or names."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram("switchboard_http_request_seconds", "Time to answer an HTTP request.", ["method", "route", "status"])
ACCEPTED = Counter("switchboard_messages_accepted_total", "Messages stored durably.", ["channel", "duplicate"])
ACCEPT_SECONDS = Histogram(
    "switchboard_accept_seconds", "Time from a message's arrival to its commit.", buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)
)
SOCKETS = Gauge("switchboard_chat_sockets", "Open web chat sockets in this process.")
UNKNOWN_EVENTS = Counter("switchboard_unknown_events_total", "Webhook events of a kind we do not know.", ["channel"])
