"""Every operation × every role × one's own thing and another tenant's: exactly the status that the table of roles says, and nobody else's data."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import get_args

import httpx
import pytest

from domain.roles import LEAST, RANK, Role
from store import members
from tests.attack.stock import BODIES, MARK, Stock
from tests.world import World

SHOWN = ("account_id", "agent_id", "approval_id", "conversation_id", "session_id")
"""What an operation shows by its id: after all the attempts its tenant still has it."""


@dataclass(frozen=True)
class Operation:
    """One line of the schema: what it is called, how it is asked, what its address names, and how it answers when all is well."""

    name: str
    method: str
    path: str
    names: tuple[str, ...]
    success: int


@pytest.fixture
async def operations(live: World) -> list[Operation]:
    """Every operation under /v1, as the schema has it."""
    paths = (await live.api.get("/openapi.json")).json()["paths"]
    return [
        Operation(told["operationId"], method.upper(), path, tuple(re.findall(r"\{(\w+)\}", path)), min(map(int, told["responses"])))
        for path, methods in paths.items()
        for method, told in methods.items()
        if path.startswith("/v1/")
    ]


async def key(world: World, role: str) -> dict[str, str]:
    """Headers with a key of this role; nobody has none."""
    if role == "nobody":
        return {}
    async with world.parts.db.transaction(world.tenant) as tx:
        _, made = await members.create_key(tx, name=role, role=role, member=world.member.id, scopes=[], expires_at=None)  # type: ignore[arg-type]
    return {"authorization": f"Bearer {made}"}


@pytest.fixture
async def wire(live: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client without a key."""
    async with httpx.AsyncClient(base_url=live.api_url, timeout=30, headers={"if-match": "*"}) as client:
        yield client


async def asked(wire: httpx.AsyncClient, operation: Operation, headers: dict[str, str], ids: dict[str, str]) -> tuple[int, str]:
    """How an operation on these ids is answered. A stream is not waited for."""
    body = {"json": BODIES[operation.name]()} if operation.name in BODIES else {}
    async with wire.stream(operation.method, operation.path.format(**ids), headers=headers, **body) as response:
        if "event-stream" in response.headers.get("content-type", ""):
            return response.status_code, ""
        return response.status_code, (await response.aread()).decode()


@pytest.mark.parametrize("role", [*get_args(Role), "nobody"])
async def test_on_ones_own_a_role_may_exactly_what_the_table_says(
    live: World, wire: httpx.AsyncClient, operations: list[Operation], role: str
) -> None:
    headers, stock, wrong = await key(live, role), Stock(live), {}
    for operation in operations:
        expected = _expected(operation, role, operation.success)
        ids = {named: await (stock.fresh(named, operation.name) if expected < 400 else stock.kept(named)) for named in operation.names}
        status, said = await asked(wire, operation, headers, ids)
        if status != expected:
            wrong[operation.name] = (expected, status, said[:300])

    assert wrong == {}


@pytest.mark.parametrize("role", [*get_args(Role), "nobody"])
async def test_on_another_tenants_nobody_may_anything(
    live: World, stranger: World, wire: httpx.AsyncClient, operations: list[Operation], role: str
) -> None:
    headers, stock, wrong = await key(live, role), Stock(stranger), {}
    for operation in operations:
        ids = {named: await stock.kept(named) for named in operation.names}
        status, said = await asked(wire, operation, headers, ids)
        if status != (expected := _expected(operation, role, 404 if ids else operation.success)) or (ids and _leaks(stranger, said, ids)):
            wrong[operation.name] = (expected, status, said[:300])

    assert wrong == {}
    assert {named: await _seen(stranger, named, await stock.kept(named)) for named in SHOWN} == dict.fromkeys(SHOWN, 200)


async def test_no_list_holds_a_word_of_another_tenants(
    live: World, stranger: World, wire: httpx.AsyncClient, operations: list[Operation]
) -> None:
    stock, headers = Stock(stranger), await key(live, "customer_admin")
    made = [await stock.kept(named) for operation in operations for named in operation.names]
    lists = [operation for operation in operations if operation.method == "GET" and not operation.names]

    told = {operation.name: (await asked(wire, operation, headers, {}))[1] for operation in lists}

    assert len(lists) > 15
    assert {name for name, said in told.items() if MARK in said or stranger.tenant in said or any(id_ in said for id_ in made)} == set()


async def test_only_the_platforms_admin_acts_for_another_tenant_and_each_time_is_written_there(
    live: World, stranger: World, wire: httpx.AsyncClient, operations: list[Operation]
) -> None:
    elsewhere, wrong = {"x-tenant": stranger.tenant}, {}
    headers = {role: await key(live, role) | elsewhere for role in get_args(Role)}
    stock, impersonated = Stock(stranger), "select subject from audit where tenant_id = %s and action = 'impersonation' order by id"
    for operation in operations:
        for role in get_args(Role):
            expected = _as_the_platform(operation) if role == "platform_admin" else 403
            ids = {named: await (stock.fresh(named, operation.name) if expected < 400 else stock.kept(named)) for named in operation.names}
            status, said = await asked(wire, operation, headers[role], ids)
            if status != expected:
                wrong[operation.name, role] = (expected, status, said[:300])

    assert wrong == {}
    assert [row["subject"] for row in stranger.rows(impersonated)] == [operation.name for operation in operations]
    assert live.rows(impersonated) == []


async def test_a_tenant_that_is_none_is_nobodys(live: World) -> None:
    headers = await key(live, "platform_admin")
    statuses = {
        tenant: (await live.api.get("/v1/sessions", headers=headers | {"x-tenant": tenant})).status_code
        for tenant in ("ten_none", "*", "%", "'; drop table tenants", "x" * 4000)
    }

    assert set(statuses.values()) == {422}, statuses


def _expected(operation: Operation, role: str, allowed: int) -> int:
    if role == "nobody":
        return 401
    return allowed if RANK[role] >= RANK[LEAST[operation.name]] else 403


def _as_the_platform(operation: Operation) -> int:
    """A key acts as its maker, who is no member there."""
    return 403 if operation.name == "create_key" else operation.success


def _leaks(stranger: World, said: str, ids: dict[str, str]) -> bool:
    return MARK in said or stranger.tenant in said or any(id_ in said for id_ in ids.values())


async def _seen(world: World, named: str, id_: str) -> int:
    noun = named.removesuffix("_id")
    return (await world.api.get(f"/v1/{noun}s/{id_}")).status_code
