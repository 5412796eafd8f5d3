"""A file's worth of configuration, made true in one transaction, idempotently."""

from collections.abc import Mapping
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field

from domain.approvals import ToolUse
from domain.errors import Invalid
from domain.ids import new_id
from domain.roles import Role
from store.pool import Transaction


class Strict(BaseModel):
    """Unknown words are mistakes."""

    model_config = ConfigDict(extra="forbid")


class PersonSpec(Strict):
    """A human."""

    name: str = Field(min_length=1, max_length=200)
    tier: Literal["owner", "admitted", "guest", "blocked"] = "guest"


class MemberSpec(Strict):
    """Someone who signs in; `person` is a person's name."""

    name: str = Field(min_length=1, max_length=200)
    role: Role
    person: str | None = None


class AgentSpec(Strict):
    """An agent; `model` is for the backend of that name, such as `anthropic:NAME`."""

    name: str = Field(min_length=1, max_length=100)
    backend: str = "scripted"
    model: str = ""
    persona: str = Field(default="", max_length=20_000)
    mode: Literal["one-shot", "copilot", "planning-control", "hitl-interactive"] = "copilot"
    language: str = "en"
    tools: tuple[ToolUse, ...] = ()


class AccountSpec(Strict):
    """Our login on a channel that needs no linking."""

    name: str = Field(min_length=1, max_length=100)
    channel: str
    admission: Literal["open", "ask", "code", "closed"] = "ask"
    debounce: float = Field(default=0, ge=0, le=60)
    owner_identities: tuple[str, ...] = ()
    settings: Mapping[str, Any] = Field(default_factory=dict)


class BindingSpec(Strict):
    """An address pattern → agent, by names."""

    agent: str
    account: str | None = None
    chat: str = "*"
    thread: str = "*"


class Spec(Strict):
    """A whole file."""

    tenant: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")
    people: tuple[PersonSpec, ...] = ()
    members: tuple[MemberSpec, ...] = ()
    agents: tuple[AgentSpec, ...] = ()
    accounts: tuple[AccountSpec, ...] = ()
    bindings: tuple[BindingSpec, ...] = ()


async def apply(tx: Transaction, spec: Spec, *, overwrite: bool) -> list[str]:
    """Creates what is missing and, with `overwrite`, changes what differs. Returns a line per change. Raises Invalid for unknown names."""
    lines: list[str] = []

    async def put(kind: str, name: str, /, **params: Any) -> None:
        row = await tx.row(f"apply/{kind}", dict, **params)
        if row:
            lines.append(f"{kind} {name}: {'created' if row['created'] else 'changed'}")

    for person in spec.people:
        await put("person", person.name, id=new_id("per"), overwrite=overwrite, **person.model_dump())
    for member in spec.members:
        await put("member", member.name, id=new_id("mem"), overwrite=overwrite, **member.model_dump())
    for agent in spec.agents:
        tools = Jsonb([tool.model_dump(mode="json", exclude_defaults=True) for tool in agent.tools])
        await put("agent", agent.name, id=new_id("agt"), overwrite=overwrite, **(agent.model_dump() | {"tools": tools}))
    for account in spec.accounts:
        given = account.model_dump() | {"settings": Jsonb(dict(account.settings)), "owner_identities": list(account.owner_identities)}
        await put("account", account.name, id=new_id("acc"), overwrite=overwrite, **given)
    for binding in spec.bindings:
        if not await tx.row("apply/names", dict, agent=binding.agent, account=binding.account):
            raise Invalid(f"The binding names an agent or account that is not there: {binding.agent}, {binding.account}.", field="bindings")
        await put("binding", f"{binding.account or 'any'} → {binding.agent}", id=new_id("bnd"), overwrite=overwrite, **binding.model_dump())
    if lines:
        await tx.run("routing/promise_unsettled", account=None)
    return lines
