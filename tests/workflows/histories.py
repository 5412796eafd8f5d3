"""Workflow histories as an operator's web UI shows them: every payload decoded, every summary in words."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from google.protobuf.json_format import MessageToDict
from temporalio.api.common.v1 import Payload
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowExecution

from tests.world import PATIENCE

T = TypeVar("T")


@dataclass(frozen=True)
class Run:
    """One run of a workflow, and everything that happened in it."""

    execution: WorkflowExecution
    events: list[HistoryEvent]

    @property
    def kind(self) -> str:
        """Its type's name."""
        return self.execution.workflow_type

    def summaries(self, kind: "EventType.ValueType") -> list[str]:
        """The summaries of its events of one kind; empty where one has none."""
        return [summary_of(event) for event in self.events if event.event_type == kind]


async def runs(client: Client, tenant: str) -> AsyncIterator[Run]:
    """Every run of a tenant's workflows that visibility knows."""
    async for execution in client.list_workflows(f"SbTenant = '{tenant}'"):
        handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
        yield Run(execution, [event async for event in handle.fetch_history_events()])


async def details(client: Client, id_: str) -> str:
    """What a workflow says of itself now."""
    told = await client.get_workflow_handle(id_).query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return str(told.current_details)


async def comes_to(wanted: T, look: Callable[[], Awaitable[T]]) -> None:
    """Waits until a look shows what is wanted: what Postgres shows already, a workflow may hear of a moment later."""
    ends = time.monotonic() + PATIENCE
    while (seen := await look()) != wanted:
        assert time.monotonic() < ends, f"{seen} instead of {wanted}"
        await asyncio.sleep(0.02)


def summary_of(event: HistoryEvent) -> str:
    """An event's summary; empty where it has none."""
    data = event.user_metadata.summary.data
    return str(json.loads(data)) if data else ""


def told(event: HistoryEvent) -> str:
    """Everything an event holds, as text: its fields, and each payload as it was before it was encoded."""
    fields = json.dumps(MessageToDict(event), ensure_ascii=False, default=str)
    return "\n".join([fields, *(payload.data.decode("utf-8", "replace") for payload in payloads(event))])


def payloads(message: Any) -> Iterator[Payload]:
    """Every payload anywhere inside a message."""
    if isinstance(message, Payload):
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        if field.message_type.GetOptions().map_entry:
            inner = [item for item in value.values() if hasattr(item, "ListFields")]
        else:
            inner = list(value) if field.is_repeated else [value]
        for item in inner:
            yield from payloads(item)
