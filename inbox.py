"""The one door: accept(inbound) stores a message and wakes whoever owns it."""

import asyncio
from collections.abc import Awaitable, Sequence

import structlog
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import Priority, SearchAttributePair, TypedSearchAttributes, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

import traces
from domain.ids import approval_workflow, routing_workflow, session_workflow
from domain.messages import Accepted, Inbound
from domain.progress import ApprovalRef, ConversationRef, SessionRef
from store import messages
from store.notices import Notices, inbound_of
from store.pool import Database
from workflows.approvals import ApprovalWorkflow
from workflows.options import ANEW, POKE_TIMEOUT, SB_KIND, SB_STATE, SB_TENANT, TASK_QUEUE, TASK_TIMEOUT
from workflows.routing import RoutingWorkflow
from workflows.sessions import SessionWorkflow

log = structlog.get_logger()
AT_ONCE = 50
"""How many pokes are under way at a time; the others wait in this process, and the sweep mends what it loses."""


class Pokes:
    """Wakes workflows: a signal that also starts its workflow where none runs. Every poke may be lost; the promise in Postgres mends it."""

    def __init__(self, temporal: Client) -> None:
        self._temporal = temporal
        self._under_way: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(AT_ONCE)

    async def session(self, tenant: str, session: str) -> None:
        """Has a session look. Raises RPCError when Temporal is away."""
        await self._temporal.start_workflow(
            SessionWorkflow.run, SessionRef(tenant, session), id=session_workflow(tenant, session), task_queue=TASK_QUEUE,
            start_signal="wake", id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=_attributes(tenant, "session", "active"), static_summary="session: thinks, acts and delivers, then rests",
            priority=Priority(fairness_key=tenant), task_timeout=TASK_TIMEOUT, retry_policy=ANEW, rpc_timeout=POKE_TIMEOUT,
        )  # fmt: skip

    async def routing(self, tenant: str, conversation: str) -> None:
        """Has the route of a conversation decided. Raises RPCError when Temporal is away."""
        await self._temporal.start_workflow(
            RoutingWorkflow.run, ConversationRef(tenant, conversation), id=routing_workflow(tenant, conversation), task_queue=TASK_QUEUE,
            start_signal="wake", id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            search_attributes=_attributes(tenant, "routing", "undecided"), static_summary="routing: decides where this conversation goes",
            priority=Priority(fairness_key=tenant), task_timeout=TASK_TIMEOUT, retry_policy=ANEW, rpc_timeout=POKE_TIMEOUT,
        )  # fmt: skip

    async def approval(self, tenant: str, approval: str) -> None:
        """Starts an approval's clock, or has the one that runs read again; one that ended by force is started anew.

        Raises RPCError when Temporal is away.
        """
        try:
            await self._temporal.start_workflow(
                ApprovalWorkflow.run, ApprovalRef(tenant, approval), id=approval_workflow(tenant, approval), task_queue=TASK_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY, search_attributes=_attributes(tenant, "approval", "pending"),
                static_summary="approval: waits for a verdict, or for its deadline", priority=Priority(fairness_key=tenant),
                task_timeout=TASK_TIMEOUT, retry_policy=ANEW, rpc_timeout=POKE_TIMEOUT,
            )  # fmt: skip
        except WorkflowAlreadyStartedError:
            await self._signal(approval_workflow(tenant, approval), "changed")

    async def decided(self, tenant: str, approval: str) -> None:
        """Tells an approval's clock that the verdict is there."""
        await self._signal(approval_workflow(tenant, approval), "decided")

    async def home(self) -> str | None:
        """Which Temporal has our workflows: the id its namespace was given when it was made. None where it does not say. Raises RPCError."""
        asked = DescribeNamespaceRequest(namespace=self._temporal.namespace)
        try:
            described = await self._temporal.workflow_service.describe_namespace(asked, timeout=POKE_TIMEOUT)
        except RPCError as error:
            if error.status in (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED):
                return None
            raise
        return described.namespace_info.id or None

    async def _signal(self, workflow_id: str, signal: str) -> None:
        handle = self._temporal.get_workflow_handle(workflow_id)
        try:
            await handle.signal(signal, rpc_timeout=POKE_TIMEOUT)
        except RPCError:
            described = await handle.describe(rpc_timeout=POKE_TIMEOUT)
            if described.status is WorkflowExecutionStatus.RUNNING:
                raise

    def in_background(self, poke: Awaitable[None]) -> None:
        """Pokes without anybody waiting for it."""
        task = asyncio.ensure_future(self._quietly(poke))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _quietly(self, poke: Awaitable[None]) -> None:
        async with self._room:
            try:
                await poke
            except (RPCError, RuntimeError) as error:
                log.info("poke.lost", error=type(error).__name__)

    async def close(self) -> None:
        """Waits a moment for the pokes under way."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=2)


class Inbox:
    """Where every message comes in, from whichever channel."""

    def __init__(self, db: Database, pokes: Pokes, notices: Notices) -> None:
        self._db, self._pokes, self._notices = db, pokes, notices

    async def accept(self, inbound: Inbound) -> Accepted:
        """Stores a message durably and in order; then, without the caller waiting, wakes whoever owns it.

        Raises NotFound for an unknown account, StoreUnavailable when it is not certain that it was stored: the same message may be sent again.
        """
        return (await self.accept_all([inbound]))[0]

    async def accept_all(self, inbounds: Sequence[Inbound]) -> list[Accepted]:
        """As `accept`, for messages of one chat that came faster than they could be stored: in their order, with one commit, all or none."""
        tenant = inbounds[0].tenant_id
        with traces.span("accept") as mark:
            mark.tell(tenant=tenant, account=inbounds[0].account_id)
            stored = await messages.accept_all(self._db, inbounds, traces.here())
            mark.tell(conversation=stored[0].conversation_id, message=" ".join(one.message_id for one in stored), session=stored[0].session_id)
            mark.tell(duplicate=all(one.duplicate for one in stored))
            for one in stored:
                self._tell(tenant, one)
        return stored

    def _tell(self, tenant: str, accepted: Accepted) -> None:
        self.wake(tenant, accepted.wake, accepted.session_id if accepted.wake == "session" else accepted.conversation_id)
        self._notices.tell(tenant, inbound_of(accepted.conversation_id))

    def wake(self, tenant: str, what: str | None, id_: str | None) -> None:
        """Wakes a `session` or a `routing`; None wakes nobody."""
        if what == "session" and id_:
            self._pokes.in_background(self._pokes.session(tenant, id_))
        elif what == "routing" and id_:
            self._pokes.in_background(self._pokes.routing(tenant, id_))


def _attributes(tenant: str, kind: str, state: str) -> TypedSearchAttributes:
    return TypedSearchAttributes([SearchAttributePair(SB_TENANT, tenant), SearchAttributePair(SB_KIND, kind), SearchAttributePair(SB_STATE, state)])
