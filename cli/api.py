"""`api`: the HTTP API alone."""

import asyncio
import signal
import sys

import typer
import uvicorn

from api.app import create_app
from logs import set_up_logs
from settings import Settings
from wiring import checked, opened, require_schema

app = typer.Typer(pretty_exceptions_enable=False, rich_markup_mode=None)
GRACE = 5
KEEP_ALIVE = 75
"""Seconds an idle connection is kept: longer than clients and load balancers keep theirs (5 to 60 s), so that it is they who close it, and nobody
sends a request down a connection that is just being closed."""


@app.command()
def api() -> None:
    """Run the API alone: webhooks, web chat, /v1 and the console. Any number may run behind a load balancer."""
    settings = Settings()
    set_up_logs(settings.log_level)
    checked(settings)  # the server would bury why it cannot start
    asyncio.run(require_schema(settings))
    application = create_app(lambda: opened(settings, "switchboard-api"))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # the server ends in order, then raises the signal once more
    uvicorn.run(
        application, host=settings.host, port=settings.port, log_config=None, access_log=False, server_header=False,
        ws_ping_interval=settings.chat_heartbeat, ws_ping_timeout=max(1.0, settings.chat_stale_after - settings.chat_heartbeat),
        ws_max_size=262_144, timeout_graceful_shutdown=GRACE, timeout_keep_alive=KEEP_ALIVE,
    )  # fmt: skip
