"""What people write, ask and are called stays in Postgres: no history, attribute, memo, heartbeat or log holds a word of it."""

import base64
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from google.protobuf.json_format import MessageToJson

from settings import Settings
from tests.journeys import deeds
from tests.journeys.children import Children, children
from tests.journeys.receiver import Answer, Receiver, receiving
from tests.journeys.stacks import beside, kit_in
from tests.journeys.wire import Wired, wired
from tests.workflows.histories import payloads, runs, told
from tests.world import World, make_world
from wiring import opened

PLACES = (
    *("text", "argument", "payee", "comment", "peer", "plan", "note", "persona", "context", "poison"),
    *("tool", "recall", "chat", "url", "answer", "why", "colleague"),
)


@dataclass
class Planted:
    """A stack whose processes run apart, and the words that must not leave Postgres, by where they were planted."""

    world: World
    wire: Wired
    children: Children
    receiver: Receiver
    words: dict[str, str] = field(default_factory=lambda: {place: f"zq{place}{secrets.token_hex(6)}" for place in PLACES})


@pytest.fixture
async def planted(settings: Settings, tmp_path: Path) -> AsyncIterator[Planted]:
    """The stack, before anything was written."""
    own = await beside(settings, "private")
    owner = own.owner_database_url.get_secret_value()
    async with (
        children(own, tmp_path, kit_in(tmp_path), log_level="DEBUG", linger="1", think_attempts="2", sweep_every="1") as started,
        opened(own, "private") as parts,
        receiving() as receiver,
    ):
        with psycopg.connect(owner, autocommit=True, row_factory=psycopg.rows.dict_row) as sql:
            world = await make_world(sql, parts)
            world.api_url = started.api_url
            planted = Planted(world, await wired(world, receiver), started, receiver)
            yield planted
            await world.close()


async def _everything(planted: Planted) -> None:
    """One of each thing that people's words pass through, and of each thing that goes wrong with them in hand."""
    await _said(planted)
    await _decided(planted)
    await _gone_wrong(planted)


async def _said(planted: Planted) -> None:
    world, wire, words = planted.world, planted.wire, planted.words
    world.sql.execute("update agents set persona = %s where tenant_id = %s", (words["persona"], world.tenant))
    await world.api.patch(f"/v1/accounts/{wire.account}", json={"settings": {"deliver_url": f"{planted.receiver.url}?{words['url']}"}})
    chat, who = words["chat"], {"sender": words["peer"], "sender_name": words["peer"]}
    for text in (f"echo {words['text']}", f"remember key={words['recall']}", f"plan {words['plan']}; two", f"follow up in 1 second: {words['note']}"):
        await wire.write(text, id_=f"{words['text']} {text}", chat=chat, **who)
    await world.until("select 1 from messages where tenant_id = %s and kind = 'timer' and state = 'answered'")
    await world.say(f"slow 1 {words['text']}")


async def _decided(planted: Planted) -> None:
    world, words = planted.world, planted.words
    colleague = await deeds.colleague(world, words["colleague"], tier="owner")
    for n, verdict in enumerate(("approved", "denied")):
        await world.say(f"refund {n + 5} to {words['payee']}")
        approval = await world.pending_approval()
        await deeds.decide(world, approval["id"], verdict, by=colleague, comment=words["comment"])
        await deeds.verdict_told(world, approval["id"])
    asked = {
        "action": "deploy",
        "arguments": {"to": words["argument"]},
        "context": words["context"],
        "allow_self": True,
        "kind": "answer",
        "within": 60,
    }
    one = (await world.api.post("/v1/approvals", json=asked)).json()
    await deeds.decide(world, one["id"], "approved", answer=words["answer"])
    await world.api.post("/v1/approvals", json=asked | {"within": -1, "action": words["why"]})
    await deeds.completed(world, one["workflow_id"])


async def _gone_wrong(planted: Planted) -> None:
    world, words = planted.world, planted.words
    deeds.use(world, backend="puppet", tools=json.dumps([{"name": "burst"}, {"name": "remember"}]))
    bug = json.dumps([{"raise": "bug", "id": words["poison"]}])
    for text in (bug, json.dumps([{"call": "burst", "with": {"words": words["tool"]}}, {"say": "{}"}])):
        await world.say(text, chat="wrong")
    poison = await world.write(json.dumps([{"call": "remember", "with": {"key": words["poison"], "value": "\0"}}]), chat="wrong")
    await world.until("select 1 from messages where tenant_id = %s and id = %s and state in ('answered', 'parked')", poison.message_id)
    planted.receiver.answers.append(Answer(500, words=words["text"], times=2))
    await planted.wire.write(words["text"], id_=f"{words['text']} 500", chat="wire")
    await planted.wire.post(json.dumps({"type": "message", "id": words["text"], "chat": words["chat"], "text": ""}).encode())
    await planted.wire.post(words["text"].encode(), secret="whsec_" + base64.b64encode(words["text"].encode() * 2).decode())
    await world.until(
        "select 1 from messages where tenant_id = %s and account_id = %s and direction = 'outbound' and attempt > 1", planted.wire.account
    )


async def _in_temporal(world: World) -> dict[str, str]:
    """Everything Temporal holds of the tenant, by run."""
    found = {}
    async for run in runs(world.parts.temporal, world.tenant):
        handle = world.parts.temporal.get_workflow_handle(run.execution.id, run_id=run.execution.run_id)
        described = (await handle.describe()).raw_description
        shown = [MessageToJson(described), *(payload.data.decode("utf-8", "replace") for payload in payloads(described))]
        found[run.execution.run_id] = "\n".join([*shown, *(told(event) for event in run.events)])
    return found


def _traces(words: dict[str, str], text: str) -> list[str]:
    """The places whose word is in a text, plain or in base64."""
    return [place for place, word in words.items() if word in text or base64.b64encode(word.encode()).decode()[:12] in text]


async def test_nothing_that_people_say_leaves_postgres(planted: Planted, folder: Path) -> None:
    await _everything(planted)

    held = await _in_temporal(planted.world)
    kinds = {run.kind async for run in runs(planted.world.parts.temporal, planted.world.tenant)}
    assert kinds == {"SessionWorkflow", "RoutingWorkflow", "ApprovalWorkflow"}
    assert {run: _traces(planted.words, text) for run, text in held.items() if _traces(planted.words, text)} == {}

    logged = planted.children.logged() + (folder / "postgres.log").read_text() + (folder / "temporal.log").read_text()
    assert "think.failed" in logged
    assert "act.failed" in logged
    assert _traces(planted.words, logged) == []
    secret: dict[str, Any] = {"key": planted.world.token, "webhook": "c2VjcmV0IG9mIHRoZSB0ZXN0cyBhbmQgb2Ygbm9ib2R5"}
    assert [name for name, word in secret.items() if word in logged or any(word in text for text in held.values())] == []
    assert {place for place in PLACES if planted.words[place] in _dumped(planted.world)} >= set(PLACES) - {"why"}


def _dumped(world: World) -> str:
    """All rows of the tenant, to see that every word was really planted."""
    tables = ("messages", "approvals", "votes", "calls", "sessions", "agents", "conversations", "accounts", "peers", "people", "demo_refunds")
    return json.dumps([world.rows(f"select to_jsonb(t) as row from {table} t where tenant_id = %s") for table in tables])
