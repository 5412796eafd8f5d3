"""A file's worth of configuration, made true in one transaction, idempotently."""

from collections.abc import Mapping
from typing import Any, Literal

from psycopg.types.json import Jsonb
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from domain.approvals import ToolUse
from domain.errors import Invalid, StartFailed
from domain.ids import new_id
from domain.roles import Role
from store.accounts import AccountRow
from store.pool import Transaction
from store.seal import Seal


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
    secrets: Mapping[str, SecretStr] = Field(default_factory=dict)


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

    @model_validator(mode="after")
    def _named_once(self) -> "Spec":
        for kind in ("people", "members", "agents", "accounts"):
            names = [one.name for one in getattr(self, kind)]
            if twice := next((name for name in names if names.count(name) > 1), None):
                raise ValueError(f"`{twice}` is named twice among the {kind}")
        return self


class Change(BaseModel):
    """One thing that a file made true."""

    kind: Literal["person", "member", "agent", "account", "binding"]
    name: str
    change: Literal["created", "changed"]


async def apply(tx: Transaction, spec: Spec, *, overwrite: bool, seal: Seal | None = None) -> list[Change]:
    """Creates what is missing and, with `overwrite`, changes what differs. Accounts with secrets need the `seal`.

    Raises Invalid, with `field` saying where in the file, for a name that nothing has and for another channel of a known account.
    """
    changes = [
        *[await _person(tx, person, overwrite) for person in spec.people],
        *[await _member(tx, number, member, overwrite) for number, member in enumerate(spec.members)],
        *[await _agent(tx, agent, overwrite) for agent in spec.agents],
        *[await _account(tx, number, account, overwrite, seal) for number, account in enumerate(spec.accounts)],
        *[await _binding(tx, number, binding, overwrite) for number, binding in enumerate(spec.bindings)],
    ]
    made = [change for change in changes if change]
    if made:
        await tx.run("routing/promise_unsettled", account=None)
    return made


async def _put(tx: Transaction, kind: Literal["person", "member", "agent", "account", "binding"], name: str, /, **params: Any) -> Change | None:
    row = await tx.row(f"apply/{kind}", dict, **params)
    return Change(kind=kind, name=name, change="created" if row["created"] else "changed") if row else None


async def _person(tx: Transaction, person: PersonSpec, overwrite: bool) -> Change | None:
    return await _put(tx, "person", person.name, id=new_id("per"), overwrite=overwrite, **person.model_dump())


async def _member(tx: Transaction, number: int, member: MemberSpec, overwrite: bool) -> Change | None:
    if member.person is not None and not await tx.row("apply/person_named", dict, name=member.person):
        raise Invalid(f"There is no person named `{member.person}`.", field=f"members.{number}.person")
    return await _put(tx, "member", member.name, id=new_id("mem"), overwrite=overwrite, **member.model_dump())


async def _agent(tx: Transaction, agent: AgentSpec, overwrite: bool) -> Change | None:
    tools = Jsonb([tool.model_dump(mode="json", exclude_defaults=True) for tool in agent.tools])
    return await _put(tx, "agent", agent.name, id=new_id("agt"), overwrite=overwrite, **(agent.model_dump() | {"tools": tools}))


async def _account(tx: Transaction, number: int, account: AccountSpec, overwrite: bool, seal: Seal | None) -> Change | None:
    known = await tx.row("accounts/by_name", AccountRow, name=account.name)
    if known and known.channel != account.channel:
        raise Invalid(f"The account `{account.name}` is of the channel {known.channel}, which cannot change.", field=f"accounts.{number}.channel")
    secrets = {name: secret.get_secret_value() for name, secret in account.secrets.items()}
    if secrets and seal is None:
        raise Invalid("Secrets can be kept only with the keys that seal them.", field=f"accounts.{number}.secrets")
    sealed = seal.close(secrets) if secrets and seal and secrets != _opened(seal, known) else None
    given = account.model_dump(exclude={"secrets"}) | {"settings": Jsonb(dict(account.settings)), "owner_identities": list(account.owner_identities)}
    return await _put(
        tx, "account", account.name, id=new_id("acc"), overwrite=overwrite, sealed=sealed, secrets_shown=Jsonb(Seal.shown(secrets)), **given
    )  # fmt: skip


def _opened(seal: Seal, known: AccountRow | None) -> Mapping[str, str]:
    """The secrets an account has; none where the keys they were sealed with are lost, so that they are sealed anew."""
    try:
        return seal.open(known.sealed) if known else {}
    except StartFailed:
        return {}


async def _binding(tx: Transaction, number: int, binding: BindingSpec, overwrite: bool) -> Change | None:
    known = await tx.row("apply/names", dict, agent=binding.agent, account=binding.account)
    assert known
    for kind in ("agent", "account"):
        if not known[kind]:
            raise Invalid(f"There is no {kind} named `{getattr(binding, kind)}`.", field=f"bindings.{number}.{kind}")
    name = f"{binding.account or 'any account'} → {binding.agent}"
    return await _put(tx, "binding", name, id=new_id("bnd"), overwrite=overwrite, **binding.model_dump())
