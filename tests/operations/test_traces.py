"""Traces, as a collector sees them: one message's way from the webhook to the reply through every process, in ids and never in words."""

import asyncio
import itertools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from domain.errors import StartFailed
from embedded.ports import free_port
from tests.crash.stack import Stack
from tests.crash.visitor import Visitor
from tests.journeys.receiver import SECRET, Answer, Receiver, receiving
from tests.operations.collector import Collector, Span, collecting
from wiring import asks_for_traces

ROOT = Path(__file__).parents[2]
MARK = "quillolu"
"""In every text that is written here; ids are made without i, l, o and u, so none holds it by chance."""
HOOK = "POST /webhooks/{channel}/{account_id}"
PATIENCE = 60.0
_numbers = itertools.count(1)


@contextmanager
def running(**environment: str) -> Iterator[Stack]:
    """Switchboard with these variables."""
    folder = Path(tempfile.mkdtemp(prefix="sbo-"))
    folder.chmod(0o755)
    stack = Stack(folder, environment=environment)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    """Where the stack sends its spans."""
    with collecting() as collecting_:
        yield collecting_


@pytest.fixture(scope="module")
def stack(collector: Collector) -> Iterator[Stack]:
    """Switchboard that tells the collector."""
    with running(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100", OTEL_SERVICE_NAME="") as stack:
        yield stack


class Program:
    """A program at an account of the channel `webhook`."""

    def __init__(self, stack: Stack, receiver: Receiver) -> None:
        self._stack, self.receiver = stack, receiver
        with stack.api as api:
            name, settings = f"program-{next(_numbers)}", {"deliver_url": receiver.url}
            given = {"name": name, "channel": "webhook", "admission": "open", "settings": settings, "secrets": {"secret": SECRET}}
            made = api.post("/v1/accounts", json=given)
            assert made.status_code == 201, made.text
            assert api.post("/v1/bindings", json={"account": name, "agent": "demo"}).status_code == 201
        self.account = made.json()["id"]

    async def write(self, text: str, **headers: str) -> None:
        """Posts a message, signed."""
        body, id_, at = json.dumps({"type": "message", "id": text, "chat": "caller", "text": text}), "evt_1", datetime.now(UTC)
        signed = {
            "webhook-id": id_, "webhook-timestamp": str(int(at.timestamp())), "webhook-signature": Webhook(SECRET).sign(id_, at, body),
            "content-type": "application/json",
        }  # fmt: skip
        async with httpx.AsyncClient(base_url=self._stack.told["api"], timeout=PATIENCE) as client:
            answer = await client.post(f"/webhooks/webhook/{self.account}", content=body, headers=signed | headers)
        assert answer.status_code == 200, answer.text

    async def heard(self, words: str) -> None:
        """Waits until a delivery with these words came."""
        await until(lambda: [call for call in self.receiver.calls if words in call["text"]])

    async def message(self, text: str) -> dict[str, Any]:
        """The row of a message that was written."""
        return await self._stack.until("select * from messages where direction = 'inbound' and text = %s", text)

    async def taken(self, text: str) -> None:
        """Waits until a turn has taken a message."""
        await self._stack.until("select 1 as found from messages where text = %s and turn is not null", text)


@pytest.fixture
async def program(stack: Stack) -> AsyncIterator[Program]:
    """A program that writes and hears."""
    async with receiving() as receiver:
        yield await asyncio.to_thread(Program, stack, receiver)


async def until(found: Any) -> Any:
    """What a look finds, as soon as it finds something."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        if value := found():
            return value
        await asyncio.sleep(0.05)
    raise AssertionError("it never came")


async def accepted(collector: Collector, program: Program, text: str) -> Span:
    """The span in which a message was accepted."""
    row = await program.message(text)
    return (await until(lambda: collector.named("accept", message=row["id"])))[0]


async def test_one_trace_shows_a_message_from_the_webhook_to_the_delivery(stack: Stack, collector: Collector, program: Program) -> None:
    await program.write(f"echo {MARK} first")
    await program.heard("first")
    accept = await accepted(collector, program, f"echo {MARK} first")
    deliver = (await until(lambda: [s for s in collector.named("deliver") if s.trace == accept.trace]))[0]
    await until(lambda: [s for s in collector.trace(accept.trace) if s.name == "RunActivity:deliver"])
    await until(lambda: {s.id for s in collector.trace(accept.trace)} >= {s.parent for s in collector.trace(accept.trace) if s.parent})
    spans = {span.id: span for span in collector.trace(accept.trace)}
    names = {span.name for span in spans.values()}

    assert names >= {HOOK, "accept", "SignalWithStartWorkflow:RoutingWorkflow", "RunActivity:route", "SignalWithStartWorkflow:SessionWorkflow"}
    assert names >= {"RunWorkflow:SessionWorkflow", "RunActivity:think", "think", "RunActivity:deliver", "deliver"}
    assert {span.service for span in spans.values()} == {"switchboard-api", "switchboard-worker"}
    assert [span.name for span in spans.values() if not span.parent] == [HOOK], "one root, and everything hangs on it"
    assert [span.name for span in spans.values() if span.parent and span.parent not in spans] == []
    message = await program.message(f"echo {MARK} first")
    think = next(span for span in spans.values() if span.name == "think")
    sent = stack.rows("select * from messages where id = %s", message["answered_by"])[0]
    assert think.attributes.items() >= {
        "switchboard.tenant": message["tenant_id"], "switchboard.session": message["session_id"], "switchboard.messages": message["id"],
    }.items()  # fmt: skip
    assert deliver.attributes.items() >= {"switchboard.tenant": message["tenant_id"], "switchboard.message": sent["id"]}.items()
    root = next(span for span in spans.values() if not span.parent)
    assert (root.attributes["http.response.status_code"], root.attributes["http.route"]) == ("200", "/webhooks/{channel}/{account_id}")


async def test_a_turn_of_a_run_that_went_on_is_in_the_trace_of_its_message_and_linked_to_the_others(collector: Collector, program: Program) -> None:
    """The run belongs to the first message's trace; what answers the second and third is found from theirs all the same."""
    await program.write(f"slow 2 {MARK} long")
    await program.taken(f"slow 2 {MARK} long")
    await program.write(f"echo {MARK} second")
    await program.write(f"echo {MARK} third")
    await program.heard("third")
    one, two, three = [await accepted(collector, program, text) for text in (f"slow 2 {MARK} long", f"echo {MARK} second", f"echo {MARK} third")]
    think = (await until(lambda: [span for span in collector.named("think") if span.trace == two.trace]))[0]
    await until(lambda: [span for span in collector.named("deliver") if span.trace == two.trace])

    assert len({one.trace, two.trace, three.trace}) == 3
    assert think.parent == two.id
    assert (three.trace, three.id) in think.links
    assert one.trace in {trace for trace, _ in think.links}, "and to the run that did it"
    assert "act" in {span.name for span in collector.trace(one.trace)}


async def test_the_verdict_leads_to_the_call_that_it_allowed(stack: Stack, collector: Collector) -> None:
    person = Visitor(stack)
    person.start()
    await person.write(f"refund 31 to {MARK}")
    waiting = await stack.until("select id from approvals where state = 'pending' and (arguments ->> 'amount')::numeric = 31")
    decided = await stack.decide(str(waiting["id"]), "approved")
    assert decided.status_code == 200
    await until(lambda: [frame for frame in person.seen if "approved" in frame["text"] and frame["direction"] == "outbound"])
    await person.stop()
    call = (await stack.until("select call_id from approvals where id = %s", waiting["id"]))["call_id"]
    act = (await until(lambda: collector.named("act", outcome="done", call=str(call))))[0]
    root = (await until(lambda: [span for span in collector.trace(act.trace) if not span.parent]))[0]

    asked = (await until(lambda: [s for s in collector.named("think", call=str(call)) if s.trace != act.trace]))[0]

    assert root.name == "POST /v1/approvals/{approval_id}/decide"
    assert asked.trace in {trace for trace, _ in act.links}, "and it is linked to the message that asked for it"
    assert collector.named("WS /v1/chat/{account_id}"), "a message over the socket begins a trace too"


async def test_a_callers_own_trace_is_linked_and_decides_nothing(collector: Collector, program: Program) -> None:
    """Whoever reaches a webhook could otherwise choose what is sampled, and write into other people's traces."""
    theirs = "0af7651916cd43dd8448eb211c80319c"
    await program.write(f"echo {MARK} linked", traceparent=f"00-{theirs}-b7ad6b7169203331-00")
    accept = await accepted(collector, program, f"echo {MARK} linked")
    root = (await until(lambda: [span for span in collector.trace(accept.trace) if span.name == HOOK]))[0]

    assert root.trace != theirs
    assert (theirs, "b7ad6b7169203331") in root.links


async def test_nothing_that_somebody_wrote_leaves_nor_what_an_exception_says(stack: Stack, collector: Collector, program: Program) -> None:
    """The other end refuses for a while, so that the delivery fails before it comes about."""
    program.receiver.answers.append(Answer(status=503, headers={"retry-after": "0.2"}, words="last"))
    await program.write(f"echo {MARK} last")
    await until(lambda: "last" in " ".join(program.receiver.taken))
    accept = await accepted(collector, program, f"echo {MARK} last")
    await until(lambda: len([span for span in collector.named("deliver") if span.trace == accept.trace]) > 1)
    log = await until(lambda: [line for line in (stack.data / "logs/api.log").read_text().splitlines() if '"trace_id"' in line])

    assert [span.failed for span in collector.named("deliver") if span.trace == accept.trace] == [True, False]
    assert len(collector.spans) > 50
    assert [body for body in collector.bodies if MARK.encode() in body] == []
    assert [span.name for span in collector.spans if span.events or span.said] == []
    assert {json.loads(line)["trace_id"] for line in log} & {span.trace for span in collector.spans}


async def test_a_collector_that_is_away_costs_nobody_anything() -> None:
    with running(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{free_port()}") as stack:
        person = Visitor(stack)
        person.start()
        await person.write("echo hello")
        await until(lambda: [frame for frame in person.seen if frame["direction"] == "outbound"])
        await person.stop()
        assert await asyncio.to_thread(stack.stop) == 0
        stack.start()


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_SDK_DISABLED": "true"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
    ],
)
def test_the_usual_variables_turn_them_on(said: dict[str, str], asked: bool) -> None:
    assert asks_for_traces(said) is asked


def test_a_protocol_we_do_not_speak_is_said_at_the_start() -> None:
    with pytest.raises(StartFailed, match="http/protobuf"):
        asks_for_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_off_the_sdk_is_not_even_loaded() -> None:
    """Everything that an API and a worker import, and no SDK of OpenTelemetry among it."""
    look = "import sys, wiring, worker, cli.api, api.app; print([m for m in sys.modules if 'opentelemetry.sdk' in m or 'otlp' in m])"
    ran = subprocess.run([sys.executable, "-c", look], cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)

    assert (ran.stdout.strip(), ran.returncode) == ("[]", 0), ran.stderr
