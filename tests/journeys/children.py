"""A worker and an API as processes of their own, with everything they log."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from embedded.ports import free_port
from settings import Settings

ROOT = Path(__file__).parent.parent.parent
STARTED_WITHIN = 60


@dataclass(frozen=True)
class Children:
    """Where the API is, and where both processes write."""

    api_url: str
    logs: tuple[Path, ...]

    def logged(self) -> str:
        """Everything both have written so far."""
        return "\n".join(log.read_text("utf-8", "replace") for log in self.logs)


@asynccontextmanager
async def children(own: Settings, folder: Path, *path: Path, **told: str) -> AsyncIterator[Children]:
    """Both processes over a stack; `path` is where they find further distributions, `told` are further settings."""
    port = free_port()
    made = Children(f"http://127.0.0.1:{port}", (folder / "worker.log", folder / "api.log"))
    env = _environment(own, port, path) | {f"SWITCHBOARD_{name.upper()}": value for name, value in told.items()}
    started = [await _start(command, log, env) for command, log in zip(("worker", "api"), made.logs, strict=True)]
    try:
        await _ready(made, started)
        yield made
    finally:
        for child in started:
            if child.returncode is None:
                child.terminate()
        await asyncio.gather(*(child.wait() for child in started))


def _environment(own: Settings, port: int, path: tuple[Path, ...]) -> dict[str, str]:
    secret = {"SEALING_KEYS": own.sealing_keys, "SIGNING_KEY": own.signing_key}
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(map(str, (ROOT, *path))),
        "DATABASE_URL": own.database_url.get_secret_value(),
        "TEMPORAL_ADDRESS": own.temporal_address,
        "TEMPORAL_NAMESPACE": own.temporal_namespace,
        "SWITCHBOARD_PORT": str(port),
        **{f"SWITCHBOARD_{name}": value.get_secret_value() for name, value in secret.items()},
    }


async def _start(command: str, log: Path, env: dict[str, str]) -> asyncio.subprocess.Process:
    with log.open("wb") as file:
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "cli", command, cwd=ROOT, env=env, stdout=file, stderr=file)


async def _ready(made: Children, started: list[asyncio.subprocess.Process]) -> None:
    ends = asyncio.get_running_loop().time() + STARTED_WITHIN
    async with httpx.AsyncClient(base_url=made.api_url) as client:
        while asyncio.get_running_loop().time() < ends:
            assert all(child.returncode is None for child in started), made.logged()
            try:
                if (await client.get("/readyz")).status_code == 200 and "worker.ready" in made.logs[0].read_text():
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError(made.logged())
