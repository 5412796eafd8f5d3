"""What members do and what tests look at, in the words of the journeys."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any, Literal

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle

from domain.ids import session_workflow
from store import members, sessions
from store.apply import MemberSpec, PersonSpec, Spec, apply
from store.pool import Database
from tests.world import PATIENCE, World

SESSION = (
    "select s.* from sessions s join conversations c on c.tenant_id = s.tenant_id and c.session_id = s.id where s.tenant_id = %s and c.chat = %s"
)


@dataclass(frozen=True)
class Colleague:
    """A member's id, and the headers that say so."""

    id: str
    headers: dict[str, str]


async def session_of(world: World, chat: str = "visitor") -> str:
    """The session that a chat's conversation has now."""
    return str((await world.until(SESSION, chat))["id"])


async def running_call(world: World, tool: str = "wait") -> dict[str, Any]:
    """The call of a tool that is being carried out."""
    return await world.until("select * from calls where tenant_id = %s and tool = %s and state = 'started'", tool)


async def suspend(world: World, session: str) -> None:
    """A member suspends a session."""
    assert await sessions.suspend(world.parts.db, world.tenant, session) == "suspended"
    await world.parts.pokes.session(world.tenant, session)


async def resume(world: World, session: str, **context: Any) -> None:
    """A member resumes a session and adds to its context."""
    assert await sessions.resume(world.parts.db, world.tenant, session, context) == "open"
    await world.parts.pokes.session(world.tenant, session)


async def close(world: World, session: str) -> None:
    """A member closes a session."""
    assert await sessions.close(world.parts.db, world.tenant, session, "member") == "closed"
    await world.parts.pokes.session(world.tenant, session)


async def cancel_turn(world: World, session: str) -> str:
    """A member cancels the turn; what that came to."""
    outcome = await sessions.cancel_turn(world.parts.db, world.tenant, session)
    await world.parts.pokes.session(world.tenant, session)
    return outcome


async def decide(world: World, approval: str, verdict: str, by: Colleague | None = None, **more: Any) -> Any:
    """The admin, or a colleague, decides over HTTP."""
    return await world.api.post(f"/v1/approvals/{approval}/decide", json={"verdict": verdict, **more}, headers=by.headers if by else None)


def workflow(world: World, id_: str) -> WorkflowHandle[Any, Any]:
    """A workflow's latest run."""
    return world.parts.temporal.get_workflow_handle(id_)


async def completed(world: World, id_: str) -> Any:
    """Waits for a workflow's latest run to complete; its result."""
    return await workflow(world, id_).result()


async def status(world: World, id_: str) -> WorkflowExecutionStatus | None:
    """The status of a workflow's latest run."""
    return (await workflow(world, id_).describe()).status


async def fails_once(world: World, id_: str) -> None:
    """Waits until an activity of a workflow has failed and is to be tried again."""
    async with asyncio.timeout(PATIENCE):
        while not any(one.attempt > 1 for one in (await workflow(world, id_).describe()).raw_description.pending_activities):
            await asyncio.sleep(0.02)


async def rests(world: World, session: str) -> None:
    """Waits until nothing of a session is open: its workflow completed and its promise is as it will stay."""
    await completed(world, session_workflow(world.tenant, session))


def said(world: World, chat: str = "visitor") -> list[str]:
    """What was said in a chat, in order."""
    query = (
        "select m.text from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id"
        " where m.tenant_id = %s and c.chat = %s and m.direction = 'outbound' order by m.seq"
    )
    return [str(row["text"]) for row in world.rows(query, chat)]


def use(world: World, *, mode: str | None = None, backend: str | None = None, tools: str | None = None) -> None:
    """Changes the demo agent."""
    world.sql.execute(
        "update agents set mode = coalesce(%s, mode), backend = coalesce(%s, backend), tools = coalesce(%s, tools) where tenant_id = %s",
        (mode, backend, tools, world.tenant),
    )


async def colleague(world: World, name: str, tier: Literal["owner", "admitted"] = "admitted") -> Colleague:
    """Another member with a key, and a person of that tier behind."""
    return await member_of(world.parts.db, world.tenant, name, tier)


async def member_of(db: Database, tenant: str, name: str, tier: Literal["owner", "admitted"]) -> Colleague:
    """The same in any tenant of any database."""
    person, spec = PersonSpec(name=name, tier=tier), MemberSpec(name=name, role="customer_operator", person=name)
    async with db.transaction(tenant) as tx:
        await apply(tx, Spec(tenant="t", people=(person,), members=(spec,)), overwrite=True)
        made = await tx.row("members/by_name", members.MemberRow, name=name)
        assert made
        _, key = await members.create_key(tx, name=name, role=made.role, member=made.id, scopes=[], expires_at=None)
    return Colleague(made.id, {"authorization": f"Bearer {key}"})


def rules(world: World, *given: dict[str, Any]) -> None:
    """Replaces the rules of the demo agent's refund."""
    use(world, tools=json.dumps([{"name": "refund", "rules": given}, {"name": "wait"}]))


async def verdict_told(world: World, approval: str) -> str:
    """What the agent said when the verdict on an approval had come."""
    row = await world.until("select id from messages where tenant_id = %s and kind = 'verdict' and approval_id = %s", approval)
    return await world.answer(str(row["id"]))
