"""Who may what: the table of permissions, over every operation there is and every role."""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any, get_args

import httpx
import pytest

from api.app import ROUTERS
from api.openapi import Application
from domain.roles import LEAST, RANK, Role
from store import members
from tests.world import World


def operations() -> Iterator[tuple[str, str, str]]:
    """Every operation under /v1: its name, method and path, with ids that nothing has."""
    app = Application(title="shape")
    for router in ROUTERS:
        app.include_router(router)
    for path, methods in app.openapi()["paths"].items():
        if path.startswith("/v1/"):
            for method, operation in methods.items():
                yield operation["operationId"], method.upper(), re.sub(r"\{\w+\}", "none_0", path)


OPERATIONS = list(operations())


def test_every_operation_is_in_the_table_and_the_table_has_no_other() -> None:
    assert {name for name, _, _ in OPERATIONS} == set(LEAST)


def test_a_name_is_one_operation() -> None:
    assert len({name for name, _, _ in OPERATIONS}) == len(OPERATIONS)


@pytest.fixture(params=get_args(Role))
async def role(request: pytest.FixtureRequest, live: World) -> AsyncIterator[tuple[Role, httpx.AsyncClient]]:
    """A key of each role."""
    async with live.parts.db.transaction(live.tenant) as tx:
        _, key = await members.create_key(tx, name="role", role=request.param, member=live.member.id, scopes=[], expires_at=None)
    async with httpx.AsyncClient(base_url=live.api_url, headers={"authorization": f"Bearer {key}"}, timeout=30) as client:
        yield request.param, client


async def test_a_role_is_refused_exactly_where_the_table_says(role: tuple[Role, httpx.AsyncClient]) -> None:
    named, client = role
    refused = {name for name, method, path in OPERATIONS if await _status(client, method, path) == 403}

    assert refused == {name for name, least in LEAST.items() if RANK[named] < RANK[least]}


async def test_nobody_gets_in_without_a_key_or_with_a_wrong_one(live: World) -> None:
    for headers in ({}, {"authorization": "Bearer sbk_wrong"}, {"authorization": "Basic abc"}):
        async with httpx.AsyncClient(base_url=live.api_url, headers=headers, timeout=30) as client:
            statuses = {name: await _status(client, method, path) for name, method, path in OPERATIONS}

        assert set(statuses.values()) == {401}


async def _status(client: httpx.AsyncClient, method: str, path: str) -> int:
    """The status of a request that changes nothing: its ids name nothing and its body is refused. A stream is not waited for."""
    body: dict[str, Any] = {} if method in ("GET", "DELETE") else {"json": {"no_such_field": 1}}
    async with client.stream(method, path, **body) as response:
        assert response.status_code < 500, await response.aread()
        return response.status_code
