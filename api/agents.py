"""Agents over HTTP: persona, backend, model, tools with their gates, mode."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from agents.registry import BACKENDS, TOOLS, names
from api.account_views import Name
from api.approval_views import run_url
from api.deps import Member, PageHere, PartsHere
from api.idempotency import Once
from api.routers import noun, problems
from domain.approvals import ToolUse
from domain.errors import NotFound
from domain.ids import session_workflow
from domain.messages import MAX_TEXT
from domain.sessions import Mode
from store import agents, sessions
from store.agents import AgentRow

router: APIRouter = noun("/v1/agents", "agents")


def _known_tools(tools: list[ToolUse]) -> list[ToolUse]:
    known = names(TOOLS)
    if unknown := [use.name for use in tools if use.name not in known]:
        raise ValueError(f"there is no tool {unknown[0]}; there are {', '.join(known)}")
    if len({use.name for use in tools}) < len(tools):
        raise ValueError("a tool is named twice; put all its rules into one entry")
    return tools


def _known_backend(backend: str) -> str:
    known = names(BACKENDS)
    if backend not in known:
        raise ValueError(f"there is no backend {backend}; there are {', '.join(known)}")
    return backend


Tools = Annotated[list[ToolUse], Field(max_length=200), AfterValidator(_known_tools)]
Backend = Annotated[str, Field(max_length=100), AfterValidator(_known_backend)]
Persona = Annotated[str, Field(max_length=20_000)]
Model = Annotated[str, Field(max_length=200)]
Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]


class NewAgent(BaseModel):
    """An agent. `model` is for the backend, such as `anthropic:NAME`; rules say when a tool runs, is asked about or is denied."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    backend: Backend = "scripted"
    model: Model = ""
    persona: Persona = ""
    mode: Mode = "copilot"
    language: Language = "en"
    tools: Tools = []


class AgentChange(BaseModel):
    """What changes; tools are replaced as a whole. Open turns go on with what they have seen."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    backend: Backend | None = None
    model: Model | None = None
    persona: Persona | None = None
    mode: Mode | None = None
    language: Language | None = None
    tools: Tools | None = None


class AgentList(BaseModel):
    """A page of agents."""

    items: list[AgentRow]
    next: str | None


class Trial(BaseModel):
    """What is said to an agent to try it."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=MAX_TEXT, pattern=r"\S")


class Tried(BaseModel):
    """The session of its own that a test message was put into."""

    session_id: str
    conversation_id: str
    message_id: str
    workflow_id: str
    run_url: str


async def agent(agent_id: str, parts: PartsHere, member: Member) -> AgentRow:
    """The agent that the path names. Raises NotFound."""
    async with parts.db.transaction(member.tenant_id) as tx:
        row = await agents.one(tx, agent_id)
    if row is None:
        raise NotFound
    return row


AgentHere = Annotated[AgentRow, Depends(agent)]


@router.get("")
async def list_agents(parts: PartsHere, member: Member, page: PageHere) -> AgentList:
    """Agents, newest first."""
    async with parts.db.transaction(member.tenant_id) as tx:
        rows = await agents.listed(tx, before=page.before, limit=page.limit)
    return AgentList.model_validate(page.of([row.model_dump() for row in rows]))


@router.post("", status_code=201)
async def create_agent(asked: NewAgent, parts: PartsHere, member: Member) -> AgentRow:
    """Adds an agent; bind addresses to it with POST /v1/bindings."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await agents.create(tx, member.member_id, _stored(asked))


@router.get("/{agent_id}")
async def get_agent(found: AgentHere) -> AgentRow:
    """One agent."""
    return found


@router.patch("/{agent_id}", responses=problems(409))
async def change_agent(agent_id: str, asked: AgentChange, parts: PartsHere, member: Member) -> AgentRow:
    """Changes what is given, from the next step of every session on; its version goes up."""
    async with parts.db.transaction(member.tenant_id) as tx:
        return await agents.change(tx, member.member_id, agent_id, _stored(asked))


@router.post("/{agent_id}/test-message", status_code=201)
async def test_agent(said: Trial, found: AgentHere, parts: PartsHere, member: Member, once: Once) -> Tried:
    """Says something to the agent in a session of its own; the answer is in that session's history."""
    started = await sessions.start(parts.db, member.tenant_id, found.id, None, f"test:{once}", said.text, member.member_id)
    parts.inbox.wake(member.tenant_id, started.wake, started.session_id)
    parts.notices.tell(member.tenant_id)
    workflow = session_workflow(member.tenant_id, started.session_id or "")
    return Tried.model_validate(started.model_dump() | {"workflow_id": workflow, "run_url": run_url(parts, workflow)})


def _stored(asked: NewAgent | AgentChange) -> dict[str, Any]:
    tools = [use.model_dump(mode="json", exclude_defaults=True) for use in asked.tools] if asked.tools is not None else None
    return asked.model_dump() | {"tools": tools}
