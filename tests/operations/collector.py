"""A collector that understands OTLP over HTTP: what our processes tell of themselves is decoded, and kept as it came."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """One span: ids in hex, attributes by name, and the spans it is linked to as (trace, span)."""

    name: str
    trace: str
    id: str
    parent: str
    service: str
    attributes: dict[str, str]
    links: list[tuple[str, str]]
    events: int
    failed: bool
    said: str


@dataclass
class Collector:
    """Everything that came."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def take(self, body: bytes) -> None:
        """One request's spans."""
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            service = next(one.value.string_value for one in resource.resource.attributes if one.key == "service.name")
            for scope in resource.scope_spans:
                for one in scope.spans:
                    attributes = {a.key: a.value.string_value or str(a.value.int_value) for a in one.attributes}
                    links = [(link.trace_id.hex(), link.span_id.hex()) for link in one.links]
                    ids = one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex()
                    self.spans.append(Span(one.name, *ids, service, attributes, links, len(one.events), one.status.code == 2, one.status.message))

    def named(self, name: str, **attributes: str) -> list[Span]:
        """The spans with this name and these of our attributes."""
        wanted = {f"switchboard.{key}": value for key, value in attributes.items()}
        return [span for span in list(self.spans) if span.name == name and wanted.items() <= span.attributes.items()]

    def trace(self, trace: str) -> list[Span]:
        """All spans of a trace."""
        return [span for span in list(self.spans) if span.trace == trace]


@contextmanager
def collecting() -> Iterator[Collector]:
    """A collector on a port of its own."""
    collector = Collector()

    class Receiving(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            if self.path == "/v1/traces":
                collector.take(body)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiving)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    collector.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
