"""OpenTelemetry behind `traces`: imported only where the usual variables name a collector."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from temporalio.contrib.opentelemetry import TracingInterceptor

from traces import Kind

KINDS: Mapping[Kind, SpanKind] = {"server": SpanKind.SERVER, "consumer": SpanKind.CONSUMER, "internal": SpanKind.INTERNAL}
OURS = "switchboard."
USUAL = {"method": "http.request.method", "route": "http.route", "status": "http.response.status_code"}
OF_TEMPORAL = {"temporalWorkflowID", "temporalRunID", "temporalActivityID"}
MAY_LEAVE = frozenset({*USUAL.values(), *OF_TEMPORAL})
"""What may leave beside ours: OpenTelemetry's words for a request, and the ids on the spans of Temporal's SDK."""
LAST_SECONDS = 2.0
"""Seconds that what is not sent yet has when the process ends; a collector that is away delays nobody."""
_PROPAGATOR = TraceContextTextMapPropagator()


class Telemetry:
    """Spans of this process, sent in batches. Where to, how many and under which name is the SDK's own affair, by its own variables."""

    def __init__(self, name: str, version: str, environment: Mapping[str, str], exporter: SpanExporter | None = None) -> None:
        told = {"service.version": version} | ({} if environment.get("OTEL_SERVICE_NAME") else {"service.name": name})
        self._provider = TracerProvider(resource=Resource.create(told), shutdown_on_exit=False)
        self._provider.add_span_processor(BatchSpanProcessor(OnlyIds(exporter or OTLPSpanExporter())))
        self._tracer = self._provider.get_tracer("switchboard", version)
        self.interceptors: Sequence[Any] = (TracingInterceptor(self._tracer),)

    @contextmanager
    def span(self, name: str, kind: Kind, origins: Sequence[str], caller: str) -> Iterator["Open"]:
        """A span in the trace of its first origin, under the open one where that belongs to it; linked to the rest."""
        current = trace.get_current_span().get_span_context()
        known = [context for context in map(_context, origins) if context.is_valid]
        parent = known[0] if known and known[0].trace_id != current.trace_id else current
        others = {(one.trace_id, one.span_id): one for one in (*known, current, _context(caller)) if one.is_valid and one.trace_id != parent.trace_id}
        under = trace.set_span_in_context(trace.NonRecordingSpan(parent), Context())
        links = [Link(context) for context in others.values()]
        with self._tracer.start_as_current_span(
            name, under, KINDS[kind], links=links, record_exception=False, set_status_on_exception=False
        ) as span:  # fmt: skip
            mark = Open(span)
            try:
                yield mark
            except BaseException as error:
                mark.fail(type(error).__name__)
                raise

    def here(self) -> str:
        """The open span as a `traceparent`; empty without one."""
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent", "")

    def close(self) -> None:
        """Sends what is left, for a moment. In a thread that may be left behind: a collector that hangs holds no process."""
        closing = threading.Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(LAST_SECONDS)


class Open:
    """A span that is open."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def tell(self, **ids: str | int | bool | None) -> None:
        """Adds ids: a name that OpenTelemetry has a word for gets it, every other one is ours."""
        for name, value in ids.items():
            if value is not None:
                self._span.set_attribute(USUAL.get(name, OURS + name), value)

    def name(self, name: str) -> None:
        """Renames it."""
        self._span.update_name(name)

    def fail(self, code: str) -> None:
        """Marks it as failed."""
        self._span.set_status(Status(StatusCode.ERROR))
        self._span.set_attribute(f"{OURS}error", code)


class OnlyIds(SpanExporter):
    """The last gate: of every span, whoever made it, name, times, links, ids and whether it failed. No event and no description leaves."""

    def __init__(self, further: SpanExporter) -> None:
        self._further = further

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends what may leave."""
        return self._further.export([_bare(span) for span in spans])

    def shutdown(self) -> None:
        """Ends the sending."""
        self._further.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Sends at once."""
        return self._further.force_flush(timeout_millis)


def _bare(span: ReadableSpan) -> ReadableSpan:
    kept = {name: value for name, value in (span.attributes or {}).items() if name.startswith(OURS) or name in MAY_LEAVE}
    return ReadableSpan(
        name=span.name, context=span.context, parent=span.parent, resource=span.resource, attributes=kept, links=span.links, kind=span.kind,
        status=Status(span.status.status_code), start_time=span.start_time, end_time=span.end_time, instrumentation_scope=span.instrumentation_scope,
    )  # fmt: skip


def _context(traceparent: str) -> SpanContext:
    return trace.get_current_span(_PROPAGATOR.extract({"traceparent": traceparent}, Context())).get_span_context()
