"""A thousand malformed bodies and some odd headers: each is refused as the schema says, none is a fault of ours, and nothing is stored."""

import base64
import hashlib
import hmac
import json
import random
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.attack.malformed import POISONS, malformed
from tests.attack.target import Target

BODIES = 1000
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
LARGEST = 1_000_000


@dataclass(frozen=True)
class Door:
    """An operation that reads a body: how it is asked, and the statuses that it promises."""

    method: str
    path: str
    promised: frozenset[int]


@dataclass(frozen=True)
class Inside:
    """What is wrong deep inside of a body that is right otherwise."""

    method: str
    path: str
    around: str


INSIDE = (
    Inside("POST", "/v1/approvals", '{"action": "x", "arguments": {"a": %s}}'),
    Inside("POST", "/v1/approvals", '{"action": "x", "context": %s}'),
    Inside("POST", "/v1/approvals", '{"action": "x", "approvers": [%s]}'),
    Inside("POST", "/v1/approvals", '{"action": "x", "within": %s}'),
    Inside("POST", "/v1/approvals", '{"action": "x", "kind": "choose", "options": ["y", %s]}'),
    Inside("POST", "/v1/approvals/{approval_id}/decide", '{"verdict": "denied", "answer": %s}'),
    Inside("POST", "/v1/approvals/{approval_id}/decide", '{"verdict": "denied", "comment": %s}'),
    Inside("POST", "/v1/accounts", '{"channel": "webchat", "name": "x", "settings": {"a": %s}}'),
    Inside("POST", "/v1/accounts", '{"channel": "webchat", "name": "x", "owner_identities": [%s]}'),
    Inside("PATCH", "/v1/accounts/{account_id}", '{"debounce": %s}'),
    Inside("POST", "/v1/agents", '{"name": "x", "persona": %s}'),
    Inside("PATCH", "/v1/agents/{agent_id}", '{"tools": [{"name": "refund", "rules": [{"gate": "ask", "when": {"argument": "a", "equals": %s}}]}]}'),
    Inside("PATCH", "/v1/agents/{agent_id}", '{"tools": [{"name": "refund", "rules": [{"gate": "ask", "when": {"argument": "a", "above": %s}}]}]}'),
    Inside("POST", "/v1/bindings", '{"agent": "demo", "thread": %s}'),
    Inside("PATCH", "/v1/sessions/{session_id}", '{"context": {"a": %s}}'),
    Inside("PATCH", "/v1/sessions/{session_id}", '{"plan": [{"text": %s}]}'),
    Inside("POST", "/v1/sessions/{session_id}/resume", '{"context": {"a": %s}}'),
    Inside("POST", "/v1/sessions/{session_id}/messages", '{"text": %s}'),
    Inside("POST", "/v1/conversations/{conversation_id}/messages", '{"text": %s}'),
    Inside("POST", "/v1/keys", '{"name": "x", "expires_at": %s}'),
    Inside("POST", "/v1/sessions", '{"agent": %s}'),
)


@pytest.fixture(scope="module")
def client(target: Target) -> Iterator[httpx.Client]:
    """The admin's client."""
    with target.api as made:
        made.headers["if-match"] = "*"
        yield made


@pytest.fixture(scope="module")
def ids(target: Target, client: httpx.Client) -> dict[str, str]:
    """Something for each address to name."""
    session = client.post("/v1/sessions", json={"agent": "demo", "input": "echo hi"}).json()
    target.until("select 1 from messages where session_id is not null and state = 'answered' or state = 'answered'")
    approval = client.post("/v1/approvals", json={"action": "x"}).json()["id"]
    message, binding = (target.rows(f"select id from {table} limit 1")[0]["id"] for table in ("messages", "bindings"))
    return {
        "session_id": session["id"], "conversation_id": session["conversation_id"], "approval_id": approval, "message_id": message,
        "account_id": target.account, "agent_id": target.agent, "binding_id": binding,
    }  # fmt: skip


@pytest.fixture(scope="module")
def doors(client: httpx.Client) -> list[Door]:
    """Every operation that reads a body."""
    paths = client.get("/openapi.json").json()["paths"]
    return [
        Door(method.upper(), path, frozenset(map(int, told["responses"])))
        for path, methods in paths.items()
        for method, told in methods.items()
        if "requestBody" in told
    ]


def _stored(target: Target) -> dict[str, int]:
    """What is there once nobody thinks any more; a refused request leaves it so."""
    target.until("select 1 where not exists (select from messages where direction = 'inbound' and state in ('accepted', 'pending'))")
    return target.counts()


def _refused(answer: httpx.Response, promised: frozenset[int]) -> bool:
    is_problem = answer.headers.get("content-type") == "application/problem+json" and bool(answer.json()["code"])
    return 400 <= answer.status_code < 500 and answer.status_code in promised and is_problem


def test_malformed_bodies_are_refused_as_the_schema_says(
    target: Target, client: httpx.Client, ids: dict[str, str], doors: list[Door], dice: random.Random, examples: int
) -> None:
    before, wrong = _stored(target), []
    for _ in range(BODIES * examples):
        door, body = dice.choice(doors), malformed(dice)
        kind = dice.choice(["application/json", "application/json; charset=utf-8", "application/problem+json"])
        answer = client.request(door.method, door.path.format(**ids), content=body, headers={"content-type": kind})
        if not _refused(answer, door.promised):
            wrong.append((door.method, door.path, body[:80], answer.status_code, answer.text[:200]))

    assert len(doors) > 12
    assert wrong == []
    assert _stored(target) == before
    target.served()


@pytest.mark.parametrize("poison", POISONS)
def test_poison_inside_a_body_is_refused_with_the_field_named(target: Target, client: httpx.Client, ids: dict[str, str], poison: str) -> None:
    before = _stored(target)
    answers = {
        (inside.path, inside.around): client.request(
            inside.method, inside.path.format(**ids), content=(inside.around % POISONS[poison]).encode(), headers={"content-type": "application/json"}
        )
        for inside in INSIDE
    }

    assert {said: (answer.status_code, answer.text[:200]) for said, answer in answers.items() if answer.status_code != 422} == {}
    assert [said for said, answer in answers.items() if not answer.json().get("field")] == []
    assert _stored(target) == before


@pytest.mark.parametrize("path", ["/v1/accounts/{account_id}/connect", "/v1/sessions/{session_id}/suspend", "/v1/messages/{message_id}/drop"])
def test_a_body_that_nobody_reads_does_no_harm(client: httpx.Client, ids: dict[str, str], path: str, dice: random.Random) -> None:
    answers = [client.post(path.format(**ids), content=malformed(dice), headers={"content-type": "application/json"}) for _ in range(20)]

    assert {answer.status_code for answer in answers} <= {200, 409, 422}


FORMS = ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "", "nonsense")


@pytest.mark.parametrize("kind", FORMS)
def test_what_does_not_say_that_it_is_json_is_none(target: Target, client: httpx.Client, kind: str) -> None:
    before = _stored(target)

    answer = client.post("/v1/agents", content=b'{"name": "from a form"}', headers={"content-type": kind} if kind else {})

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert _stored(target) == before


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", ["/v1/agents", "/webhooks/webhook/{hook}", "/console/sign-in"])
def test_a_body_that_is_too_large_is_refused_whether_or_not_it_says_so(
    target: Target, client: httpx.Client, hook: str, path: str, announced: bool
) -> None:
    body = b'{"name": "' + b"x" * LARGEST + b'"}'
    chunks: Any = body if announced else (body[at : at + 65_536] for at in range(0, len(body), 65_536))

    answer = client.post(path.format(hook=hook), content=chunks, headers={"content-type": "application/json"})

    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    ("name", "value", "status"),
    [
        ("authorization", "Bearer", 401), ("authorization", "Bearer " + "x" * 5000, 401), ("authorization", "Bearer \xff\xfe", 401),
        ("authorization", "Basic YTpi", 401), ("authorization", "Bearer a b", 401), ("cookie", "switchboard=x.y.z; switchboard=", 401),
        ("cookie", "=;;=\x01", 400), ("idempotency-key", "", 422), ("idempotency-key", "k" * 256, 422), ("idempotency-key", "\xe9\xff", 422),
        ("accept", "\x7f*/*;q=zz", 400), ("content-encoding", "gzip", 422), ("x-tenant", "\xff", 403), ("if-match", '"' * 900, 422),
        ("traceparent", "00-zz-zz-zz", 422), ("host", "else.where", 422), ("host", "", 422), ("last-event-id", "\x01", 400),
    ],
)  # fmt: skip
def test_odd_headers_are_no_fault_of_ours(target: Target, name: str, value: str, status: int) -> None:
    """The body is refused in any case, so that nothing is stored; what a header may spoil is refused before, and 400 is no HTTP at all."""
    headers: dict[str, str] = {"authorization": f"Bearer {target.keys['customer_admin']}"}
    headers = {} if name == "cookie" else headers
    raw = [(key.encode(), given.encode("latin-1")) for key, given in (headers | {name: value}).items()]
    with httpx.Client(base_url=target.told["api"], timeout=30) as client:
        answer = client.post("/v1/agents", json={"no_such": 1}, headers=httpx.Headers(raw))

    assert answer.status_code == status, answer.text


@pytest.fixture(scope="module")
def hook(client: httpx.Client) -> str:
    """A webhook account whose secret we know, bound to the demo agent."""
    asked: dict[str, Any] = {"channel": "webhook", "name": "hook", "admission": "open", "secrets": {"secret": SECRET}}
    asked["settings"] = {"deliver_url": "http://127.0.0.1:9/"}
    return str(client.post("/v1/accounts", json=asked).json()["id"])


def _signed(body: bytes, *, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signature = base64.b64encode(hmac.new(key, f"evt_1.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}", "content-type": "application/json"}


def test_malformed_calls_are_refused_though_they_are_signed(
    target: Target, client: httpx.Client, ids: dict[str, str], hook: str, dice: random.Random, examples: int
) -> None:
    before, path = _stored(target), f"/webhooks/webhook/{hook}"
    whole = {"id": "1", "chat": "c", "text": "t"}
    bodies = [malformed(dice) for _ in range(200 * examples)]
    for field in ("id", "chat", "thread", "sender", "sender_name", "text"):
        bodies += [(json.dumps(whole | {field: "?"}).replace('"?"', poison)).encode() for poison in POISONS.values()]
    bodies.append(json.dumps(whole | {"id": "\x01" * 200, "chat": "\x02" * 200}).encode())

    answers = [(body, client.post(path, content=body, headers=_signed(body))) for body in bodies]

    assert [(body[:80], answer.status_code, answer.text[:200]) for body, answer in answers if answer.status_code != _deserved(body)] == []
    assert _stored(target) == before


def _deserved(body: bytes) -> int:
    """Standard Webhooks signs text: bytes that are none have no right signature."""
    try:
        body.decode()
    except UnicodeDecodeError:
        return 401
    return 422


@pytest.mark.parametrize("spoil", ["signature", "body", "old", "future", "none", "other"])
def test_a_call_that_is_not_signed_rightly_is_refused(target: Target, client: httpx.Client, ids: dict[str, str], hook: str, spoil: str) -> None:
    before, body = _stored(target), json.dumps({"id": "1", "chat": "c", "text": "t"}).encode()
    now = time.time()
    headers = _signed(body, at={"old": now - 3600, "future": now + 3600}.get(spoil))
    if spoil == "signature":
        headers["webhook-signature"] = re.sub(r"[A-Z]", "A", headers["webhook-signature"])
    if spoil == "none":
        headers = {"content-type": "application/json"}
    path = f"/webhooks/webhook/{hook}" if spoil != "other" else f"/webhooks/webhook/{target.account}"

    answer = client.post(path, content=body + b" " if spoil == "body" else body, headers=headers)

    assert answer.status_code == (404 if spoil == "other" else 401), answer.text
    assert _stored(target) == before


def test_large_bodies_are_not_kept_in_memory(target: Target, client: httpx.Client, ids: dict[str, str]) -> None:
    body = b'{"name": "' + b"x" * (LARGEST - 100) + b'"}'

    def storm(times: int) -> int:
        for _ in range(times):
            assert client.post("/v1/agents", content=body, headers={"content-type": "application/json"}).status_code == 422
        return target.memory()

    warm = storm(30)

    assert storm(200) - warm < 100 * LARGEST
