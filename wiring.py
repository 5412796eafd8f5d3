"""The one place that names concrete classes: Settings → Parts."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import cache
from importlib.metadata import version
from typing import Any

from pydantic import SecretStr
from temporalio import workflow
from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.envconfig import ClientConfig
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Worker, WorkerDeploymentConfig
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

import traces
from activities.approvals import Approvals
from activities.calls import Calls
from activities.messages import Messages
from activities.routing import Routing
from activities.sessions import Limits, Sessions
from activities.sweep import Sweep
from agents import Backend, Tool
from agents.registry import BACKENDS, load, load_tools
from channels import Channel
from domain.errors import StartFailed, StoreUnavailable
from inbox import Inbox, Pokes
from parts import Parts
from settings import Settings
from store.conninfo import fields
from store.migrate import require_current
from store.notices import Notices
from store.pool import Database
from store.seal import Seal
from workflows.approvals import ApprovalWorkflow
from workflows.options import MOVES, TASK_QUEUE
from workflows.routing import RoutingWorkflow
from workflows.sessions import SessionWorkflow

CHANNELS = "switchboard.channels"
MODEL_KEYS = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}
MODEL_URLS = {"anthropic": "ANTHROPIC_BASE_URL", "openai": "OPENAI_BASE_URL"}
MARGIN = 10.0
"""Seconds a backend has less than its activity, so that its own sentence about a time-out is the one that is heard."""
SHORTEST_KEY = 16
OTLP = "http/protobuf"
WORKFLOWS = (SessionWorkflow, RoutingWorkflow, ApprovalWorkflow)
RUNNER = SandboxedWorkflowRunner(
    restrictions=SandboxRestrictions.default.with_passthrough_modules("domain", "workflows", "pydantic", "pydantic_core", "ulid", "rfc8785")
)
"""Where workflows run, in the worker as in the replay of old histories."""
BEGINS_ANEW = (workflow.NondeterminismError,)
"""What fails a run instead of wedging it: history that this code cannot go on with, after an upgrade or back. The run begins anew, by looking."""


@asynccontextmanager
async def opened(settings: Settings, name: str) -> AsyncIterator[Parts]:
    """The parts, open; closed in reverse order. Postgres and Temporal may both be away at first.

    Raises StartFailed for a setting that is missing.
    """
    url, seal = settings.database_url.get_secret_value(), checked(settings)
    async with traced(name):
        db = Database(url, size=settings.pool_size, name=name)
        await db.open()
        notices = Notices(url)
        temporal = await connect(settings, lazy=True)
        pokes = Pokes(temporal)
        try:
            yield Parts(settings, db, temporal, notices, pokes, Inbox(db, pokes, notices), seal, channels())
        finally:
            await pokes.close()
            await notices.close()
            await db.close()


@asynccontextmanager
async def traced(name: str) -> AsyncIterator[None]:
    """Sends traces while it is entered, where OpenTelemetry's usual variables say where to. Raises StartFailed for a protocol we do not speak."""
    if not asks_for_traces(os.environ):
        yield
        return
    from telemetry import Telemetry  # noqa: PLC0415 - the SDK costs memory and time, which only those pay who ask for traces

    telemetry = Telemetry(name, version("switchboard"), os.environ)
    traces.begin(telemetry)
    try:
        yield
    finally:
        traces.begin(None)
        await asyncio.to_thread(telemetry.close)


def asks_for_traces(environment: Mapping[str, str]) -> bool:
    """Whether OpenTelemetry's usual variables name a collector. Raises StartFailed for a protocol that we do not speak."""
    said = environment.get
    if said("OTEL_SDK_DISABLED", "").lower() == "true" or said("OTEL_TRACES_EXPORTER") not in (None, "", "otlp"):
        return False
    if not (said("OTEL_EXPORTER_OTLP_ENDPOINT") or said("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")):
        return False
    protocol = said("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or said("OTEL_EXPORTER_OTLP_PROTOCOL") or OTLP
    if protocol != OTLP:
        raise StartFailed(f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol}; Switchboard speaks {OTLP}, to port 4318 of most collectors.")
    return True


def checked(settings: Settings) -> Seal:
    """The seal, where everything is set that has no default. Raises StartFailed that names what is not, or does not fit."""
    if not settings.database_url.get_secret_value():
        raise StartFailed("DATABASE_URL is not set; `./switchboard up` brings its own Postgres.")
    fields(settings.database_url.get_secret_value(), "DATABASE_URL")
    if not settings.signing_key.get_secret_value():
        raise StartFailed(f"SWITCHBOARD_SIGNING_KEY is not set; give every process the same random text of {SHORTEST_KEY} characters or more.")
    if len(settings.signing_key.get_secret_value()) < SHORTEST_KEY:
        raise StartFailed(f"SWITCHBOARD_SIGNING_KEY needs {SHORTEST_KEY} characters at least; whoever guesses it is signed in as anybody.")
    deployment(settings)
    return Seal([key for key in settings.sealing_keys.get_secret_value().split(",") if key])


def deployment(settings: Settings) -> WorkerDeploymentConfig | None:
    """The version the workers say they are; None leaves them unversioned. Raises StartFailed where only half of it is set."""
    if not settings.deployment and not settings.build_id:
        return None
    if not (settings.deployment and settings.build_id):
        raise StartFailed("SWITCHBOARD_DEPLOYMENT and SWITCHBOARD_BUILD_ID go together; set both, or neither.")
    ours = WorkerDeploymentVersion(settings.deployment, settings.build_id)
    return WorkerDeploymentConfig(ours, use_worker_versioning=True, default_versioning_behavior=MOVES)


async def require_schema(settings: Settings) -> None:
    """Raises StartFailed where the schema is another version's; says nothing while Postgres is away, since it may come back."""
    db = Database(settings.database_url.get_secret_value(), size=2, name="switchboard-start")
    await db.open()
    try:
        await require_current(db)
    except StoreUnavailable:
        return
    finally:
        await db.close()


async def connect(settings: Settings, *, lazy: bool) -> Client:
    """A client of Temporal; TLS and API key from its own usual variables. Raises RuntimeError when not lazy and Temporal is away."""
    profile: dict[str, Any] = dict(ClientConfig.load_client_connect_config(disable_file=True))
    profile |= {"target_host": settings.temporal_address, "namespace": settings.temporal_namespace}
    figures = None if lazy else figures_at(settings.host, settings.metrics_port)
    return await Client.connect(**profile, lazy=lazy, data_converter=pydantic_data_converter, runtime=figures, interceptors=traces.interceptors())


@cache
def figures_at(host: str, port: int) -> Runtime | None:
    """Temporal's runtime with its own figures served for Prometheus, once per process; None for port 0. Raises StartFailed for a taken port."""
    if not port:
        return None
    try:
        return Runtime(telemetry=TelemetryConfig(metrics=PrometheusConfig(bind_address=f"{host}:{port}")))
    except ValueError as error:
        raise StartFailed(f"SWITCHBOARD_METRICS_PORT is {port}, where something else listens already; choose another.") from error


def channels() -> dict[str, Channel]:
    """Every channel by name."""
    return {name: kind() for name, kind in load(CHANNELS).items()}


def backends(settings: Settings) -> dict[str, Backend]:
    """Every backend by name; the model's keys and addresses come from the providers' usual variables."""
    keys = {name: SecretStr(os.environ[key]) for name, key in MODEL_KEYS.items() if os.environ.get(key)}
    urls = {name: os.environ[key] for name, key in MODEL_URLS.items() if os.environ.get(key)}
    given = {"model": {"keys": keys, "base_urls": urls, "within": settings.think_timeout - MARGIN}}
    return {name: kind(**given.get(name, {})) for name, kind in load(BACKENDS).items()}


def sweep(parts: Parts) -> Sweep:
    """The loop that keeps promises whose poke was lost."""
    return Sweep(parts.db, parts.pokes, parts.settings.sweep_every, parts.settings.session_expires_after)


def worker(parts: Parts, temporal: Client, tools: Mapping[str, Tool] | None = None) -> Worker:
    """A worker over all workflows and activities; `temporal` is a connected client. `tools` replaces the registered ones."""
    s = parts.settings
    chosen = load_tools() if tools is None else tools
    limits = Limits(
        linger=s.linger, looks_before_continue=s.looks_before_continue, turn_steps=s.turn_steps, window=s.transcript_window,
        think_timeout=s.think_timeout, think_attempts=s.think_attempts,
    )  # fmt: skip
    sessions = Sessions(parts.db, parts.notices, parts.inbox, backends(s), chosen, parts.channels, limits)
    calls = Calls(parts.db, parts.notices, parts.inbox, chosen)
    approvals = Approvals(parts.db, parts.pokes, parts.inbox, parts.notices, s.approval_within)
    routing = Routing(parts.db, parts.inbox, parts.notices)
    messages = Messages(parts.db, parts.notices, parts.seal, parts.channels)
    return Worker(
        temporal, task_queue=TASK_QUEUE, workflows=list(WORKFLOWS),
        activities=[sessions.think, calls.act, approvals.ask, approvals.read_clock, approvals.expire, routing.route, messages.deliver],
        workflow_runner=RUNNER, workflow_failure_exception_types=BEGINS_ANEW, deployment_config=deployment(s),
        max_cached_workflows=1000, sticky_queue_schedule_to_start_timeout=timedelta(seconds=2),
        graceful_shutdown_timeout=timedelta(seconds=s.graceful_shutdown), max_concurrent_activities=100,
    )  # fmt: skip
