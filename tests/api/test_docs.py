"""The page about the API needs no other host, and a network reaches it and the figures by a key only."""

import re

import httpx
import pytest

from api.app import create_app
from settings import Settings
from tests.world import World
from wiring import opened

GUARDED = ("/metrics", "/docs", "/openapi.json")
OPEN = ("/healthz", "/readyz")


async def test_docs_are_made_of_our_own_files(live: World) -> None:
    async with httpx.AsyncClient(base_url=live.api_url) as client:
        page = await client.get("/docs")
        named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        answers = {path: (await client.get(path)).status_code for path in [*named, "/openapi.json"]}

    assert page.status_code == 200
    assert len(named) == 3
    assert set(answers.values()) == {200}, answers
    assert "http" not in page.text
    assert "script-src 'self' 'unsafe-inline'" in page.headers["content-security-policy"]


async def test_no_other_page_allows_inline_scripts(live: World) -> None:
    async with httpx.AsyncClient(base_url=live.api_url) as client:
        policies = {path: (await client.get(path)).headers["content-security-policy"] for path in ("/console/sign-in", "/metrics", "/healthz")}

    assert [path for path, policy in policies.items() if "unsafe" in policy] == []


@pytest.mark.parametrize(("host", "status"), [("127.0.0.1", 200), ("::1", 200), ("localhost", 200), ("0.0.0.0", 401), ("192.168.1.2", 401)])
async def test_a_network_sees_them_by_a_key_only(live: World, settings: Settings, host: str, status: int) -> None:
    app = create_app(lambda: opened(settings.model_copy(update={"host": host}), "tests-docs"))
    key = {"authorization": f"Bearer {live.token}"}
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as client:
        assert {(await client.get(path)).status_code for path in GUARDED} == {status}
        assert {(await client.get(path, headers=key)).status_code for path in GUARDED} == {200}
        assert {(await client.get(path)).status_code for path in OPEN} == {200}
