"""`api` alone: it ends in order when it is asked to."""

import asyncio
import os
import sys

import httpx

from embedded.ports import free_port
from settings import Settings
from tests.cli.running import ROOT, WITHIN


async def test_it_ends_with_0_when_it_is_asked_to_stop(settings: Settings) -> None:
    port = free_port()
    told = {
        "DATABASE_URL": settings.database_url.get_secret_value(), "TEMPORAL_ADDRESS": settings.temporal_address, "SWITCHBOARD_PORT": str(port),
        "SWITCHBOARD_SEALING_KEYS": settings.sealing_keys.get_secret_value(), "SWITCHBOARD_SIGNING_KEY": settings.signing_key.get_secret_value(),
    }  # fmt: skip
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "cli", "api", cwd=ROOT, env={**os.environ, **told}, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )  # fmt: skip
    try:
        await asyncio.wait_for(_answers(port), WITHIN)
        program.terminate()
        assert await asyncio.wait_for(program.wait(), WITHIN) == 0
    finally:
        if program.returncode is None:
            program.kill()


async def _answers(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        while True:
            try:
                if (await client.get("/healthz")).status_code == 200:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
