"""The worked examples of CONTRIBUTING.md, taken out of the page and run as somebody would who followed it."""

import importlib
import json
import os
import re
import subprocess
import sys
import threading
import tomllib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from channels import AccountSeen, Channel, Outgoing, ReceivesWebhooks
from domain.errors import BadSignature, Invalid, SendFailed, SendRefused, SendUncertain
from tests.architecture.pages import blocks
from tests.architecture.tree import ROOT
from tests.world import World
from wiring import channels

PAGE = ROOT / "CONTRIBUTING.md"
TOKEN = "a token of the provider"


@pytest.fixture
def followed(tmp_path: Path) -> Path:
    """Every file of the page, and its entry points as an installed package has them."""
    points: dict[str, dict[str, str]] = {}
    for block in blocks(PAGE):
        if block.file.endswith("pyproject.toml"):
            for group, entries in tomllib.loads(block.text)["project"]["entry-points"].items():
                points.setdefault(group, {}).update(entries)
        elif block.file:
            (tmp_path / block.file).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / block.file).write_text(block.text, "utf-8")
    installed = tmp_path / "worked_examples-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: worked-examples\nVersion: 1.0\n", "utf-8")
    lines = [f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in entries.items()) for group, entries in points.items()]
    (installed / "entry_points.txt").write_text("\n".join(lines), "utf-8")
    return tmp_path


def test_there_is_a_tool_a_channel_and_a_policy() -> None:
    files = {block.file for block in blocks(PAGE)}

    assert {"door_tool.py", "test_door_tool.py", "pager/__init__.py", "house.toml", "test_house.py"} <= files


def test_the_tests_of_the_page_pass(followed: Path) -> None:
    path = os.pathsep.join([str(followed), str(ROOT)])
    command = [sys.executable, "-m", "pytest", "-q", "-o", "asyncio_mode=auto", "-p", "no:cacheprovider", "test_door_tool.py", "test_house.py"]

    ran = subprocess.run(command, cwd=followed, env={"PATH": os.environ["PATH"], "PYTHONPATH": path}, capture_output=True, text=True, timeout=60)

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert re.search(r"\b1\d passed", ran.stdout) or " 10 passed" in ran.stdout


@pytest.fixture
def pager(followed: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Channel]:
    """The channel of the page, found as any channel is."""
    monkeypatch.syspath_prepend(str(followed))
    importlib.invalidate_caches()
    yield channels()["pager"]
    sys.modules.pop("pager", None)


def test_the_channel_of_the_page_checks_who_calls_before_it_reads(pager: Channel) -> None:
    assert isinstance(pager, ReceivesWebhooks)
    body = json.dumps({"id": "7", "number": "+15550100999", "text": "yes"}).encode()

    (inbound,) = pager.receive(account("http://x"), {"authorization": f"Bearer {TOKEN}"}, body)

    assert (inbound.chat, inbound.text, json.loads(inbound.external_id)) == ("+15550100999", "yes", ["message", "+15550100999", "7"])
    for headers in ({}, {"authorization": "Bearer another"}):
        with pytest.raises(BadSignature):
            pager.receive(account("http://x"), headers, b"not even json")
    with pytest.raises(Invalid) as caught:
        pager.receive(account("http://x"), {"authorization": f"Bearer {TOKEN}"}, b'{"id": "7", "number": "+1"}')
    assert caught.value.extra["field"] == "text"


@pytest.mark.parametrize(("status", "error"), [(200, None), (429, SendFailed), (503, SendFailed), (500, SendUncertain), (400, SendRefused)])
async def test_the_channel_of_the_page_says_what_became_of_a_message(pager: Channel, status: int, error: type[Exception] | None) -> None:
    outgoing = Outgoing(message_id="msg_1", chat="+15550100999", thread="", text="The garage is open.", label="again")
    with provider(status) as (url, calls):
        if error is None:
            assert (await pager.send(account(url), outgoing)).id == "page-1"
            assert calls == [{"id": "msg_1", "number": "+15550100999", "text": "again\nThe garage is open."}]
        else:
            with pytest.raises(error):
                await pager.send(account(url), outgoing)


async def test_a_provider_that_is_away_took_nothing(pager: Channel) -> None:
    with pytest.raises(SendFailed):
        await pager.send(account("http://127.0.0.1:9"), Outgoing(message_id="msg_1", chat="1", thread="", text="hello"))


async def test_the_three_lines_of_the_readme_wait_for_a_human(live: World) -> None:
    script = next(block.text for block in blocks(ROOT / "README.md") if "curl" in block.text)
    asked = json.loads(re.search(r"--json '(.+?)'", script)[1])  # type: ignore[index] # a page without it fails here, as it should
    waits = re.search(r'"\$API/\$ID\?(\w+)=(\d+)"', script)
    assert waits

    approval = (await live.api.post("/v1/approvals", json=asked)).raise_for_status().json()
    decided = await live.api.post(f"/v1/approvals/{approval['id']}/decide", json={"verdict": "approved"})
    answer = await live.api.get(f"/v1/approvals/{approval['id']}", params={waits[1]: waits[2]})

    assert httpx.codes.is_success(decided.status_code), decided.text
    assert (answer.json()["state"], answer.json()["verdict"]) == ("decided", "approved")
    assert re.search(r"apr_[0-9a-z]*", json.dumps(approval))[0] == approval["id"]  # type: ignore[index]


def account(url: str) -> AccountSeen:
    """An account of the channel."""
    return AccountSeen(tenant_id="ten_1", id="acc_1", settings={"url": url}, secrets={"token": TOKEN})


class provider:  # noqa: N801 - reads as what it stands for
    """A provider that answers every call with one status; a context of (url, what it was told)."""

    def __init__(self, status: int) -> None:
        self._calls: list[Any] = []
        calls = self._calls

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                calls.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
                body = json.dumps({"id": "page-1"}).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        self._server = HTTPServer(("127.0.0.1", 0), Answer)

    def __enter__(self) -> tuple[str, list[Any]]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{self._server.server_port}/pages", self._calls

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
