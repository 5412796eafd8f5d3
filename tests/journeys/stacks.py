"""Further stacks beside the shared one: a database and a namespace of their own on the same servers, for other settings and parts."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
from google.protobuf.duration_pb2 import Duration
from pydantic import SecretStr
from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from embedded.temporal import SEARCH_ATTRIBUTES
from settings import Settings
from store.migrate import upgrade

ENTRY_POINTS = """
[switchboard.backends]
puppet = tests.journeys.kit:Puppet

[switchboard.tools]
post = tests.journeys.kit:Post
burst = tests.journeys.kit:Burst
"""


async def beside(settings: Settings, name: str, **changed: Any) -> Settings:
    """Settings for a stack called `name`: the shared ones but for what is `changed`, over a database and a namespace made here."""
    owner = settings.owner_database_url.get_secret_value()
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f'create database "{name}"')
    await asyncio.to_thread(upgrade, _in_database(owner, name))
    await _namespace(settings.temporal_address, name)
    app = _in_database(settings.database_url.get_secret_value(), name)
    own = {"database_url": SecretStr(app), "owner_database_url": SecretStr(_in_database(owner, name)), "temporal_namespace": name}
    return settings.model_copy(update=own | changed)


def kit_in(folder: Path, entry_points: str = ENTRY_POINTS) -> Path:
    """Installs the tests' backends and tools under a folder as any third party's are: a distribution with entry points. Returns its path."""
    installed = folder / "kit" / "switchboard_test_kit-1.0.dist-info"
    installed.mkdir(parents=True)
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: switchboard-test-kit\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(entry_points)
    return installed.parent


@contextmanager
def kit_registered(folder: Path) -> Iterator[None]:
    """The tests' backend and tools are found while parts are made."""
    path = str(kit_in(folder))
    sys.path.append(path)
    try:
        yield
    finally:
        sys.path.remove(path)


@asynccontextmanager
async def running(*coroutines: Any) -> AsyncIterator[None]:
    """Background work for the time of a block."""
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _namespace(address: str, name: str) -> None:
    client = await Client.connect(address)
    kept = Duration(seconds=86_400)
    await client.workflow_service.register_namespace(RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=kept))
    keyword = IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD
    wanted = AddSearchAttributesRequest(namespace=name, search_attributes=dict.fromkeys(SEARCH_ATTRIBUTES, keyword))
    for last in [False] * 50 + [True]:
        try:
            await client.operator_service.add_search_attributes(wanted)
            return
        except RPCError:
            if last:
                raise
            await asyncio.sleep(0.1)


def _in_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
