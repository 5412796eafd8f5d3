"""How a tenant stands, for a screen that one looks at: counts, and whether anybody works."""

from datetime import UTC, datetime, timedelta

from fastapi import APIRouter, Request
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from api.deps import Member, PartsHere
from api.routers import noun
from parts import Parts
from store import status
from workflows.options import TASK_QUEUE

router: APIRouter = noun("/v1/status", "status")
SEEN_WITHIN = timedelta(seconds=75)
"""A worker that waits for tasks asks for them again at least this often."""


class Status(status.Standing):
    """How a tenant stands. `workers` is how many ask Temporal for work, null when Temporal does not answer."""

    tenant_id: str
    version: str
    workers: int | None
    temporal_ui_url: str


@router.get("")
async def get_status(request: Request, parts: PartsHere, member: Member) -> Status:
    """Sessions by phase, approvals that wait, messages without an answer, and whether anybody works."""
    async with parts.db.transaction(member.tenant_id) as tx:
        standing = await status.now(tx)
    return Status(
        **standing.model_dump(), tenant_id=member.tenant_id, version=request.app.version, workers=await _workers(parts),
        temporal_ui_url=parts.settings.temporal_ui_url,
    )  # fmt: skip


async def _workers(parts: Parts) -> int | None:
    asked = DescribeTaskQueueRequest(
        namespace=parts.settings.temporal_namespace, task_queue=TaskQueue(name=TASK_QUEUE), task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY
    )
    try:
        told = await parts.temporal.workflow_service.describe_task_queue(asked, timeout=timedelta(seconds=2))
    except (RPCError, RuntimeError):
        return None
    since = datetime.now(UTC) - SEEN_WITHIN
    return len({poller.identity for poller in told.pollers if poller.last_access_time.ToDatetime(UTC) > since})
