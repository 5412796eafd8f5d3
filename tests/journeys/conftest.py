"""A second stack for journeys: small limits, the tests' own backend and tools, runs continued as new every few looks."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from parts import Parts
from settings import Settings
from tests.journeys.kit import Post
from tests.journeys.stacks import beside, kit_registered, running
from tests.world import World, make_world
from wiring import connect, opened, sweep, worker


@pytest.fixture(scope="session")
async def odd_settings(settings: Settings) -> Settings:
    """Settings no one would run with."""
    return await beside(settings, "odd", looks_before_continue=3, turn_steps=6, think_attempts=2, linger=1.0, graceful_shutdown=0.2)


@pytest.fixture(scope="session")
async def odd_parts(odd_settings: Settings) -> AsyncIterator[Parts]:
    """The parts of a process of the second stack."""
    async with opened(odd_settings, "odd") as made:
        yield made


@pytest.fixture(scope="session")
async def odd_worker(odd_settings: Settings, odd_parts: Parts, folder: Path) -> AsyncIterator[None]:
    """A worker of the second stack, with the tests' backend and tools."""
    Post.let_go = asyncio.Event()
    with kit_registered(folder):
        made = worker(odd_parts, await connect(odd_settings, lazy=False))
    async with made, running(sweep(odd_parts).forever()):
        yield


@pytest.fixture
async def odd(odd_settings: Settings, odd_parts: Parts, odd_worker: None) -> AsyncIterator[World]:
    """A tenant on the second stack."""
    with psycopg.connect(odd_settings.owner_database_url.get_secret_value(), autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
        yield await make_world(sql, odd_parts)
