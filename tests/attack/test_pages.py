"""The console and the chat as a hostile page, link, name or proxy would use them."""

import re
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from itsdangerous import URLSafeTimedSerializer

from api.app import ROUTERS
from api.deps import COOKIE
from settings import Settings
from store import members
from tests.world import World

DOOR, CONSOLE, OUT = "/console/sign-in", "/console/approvals", "/console/sign-out"
PAGES = ("/chat/{account}", "/chat/acc_none", DOOR, CONSOLE)
EVERYTHING = (*PAGES, "/healthz", "/v1/me", "/v1/none", "/none", "/static/base.css", "/static/none", "/docs", "/metrics", "/openapi.json")
HURT = "<img src=x onerror=alert(1)>"


@pytest.fixture
async def browser(live: World) -> AsyncIterator[httpx.AsyncClient]:
    """A browser that was never here: it keeps cookies and follows nothing."""
    async with httpx.AsyncClient(base_url=live.api_url, timeout=30) as client:
        yield client


@pytest.fixture
async def link(live: World) -> str:
    """The token of a sign-in link."""
    async with live.parts.db.transaction(live.tenant) as tx:
        return await members.create_signin(tx, live.member.id, 5)


@pytest.fixture
async def inside(browser: httpx.AsyncClient, link: str) -> httpx.AsyncClient:
    """A browser that is signed in."""
    assert (await browser.post(DOOR, json={"token": link})).status_code == 200
    return browser


async def _csrf(inside: httpx.AsyncClient) -> str:
    return str((await inside.get("/v1/me")).json()["csrf"])


async def test_every_answer_carries_the_headers_that_keep_it_in_its_place(live: World, browser: httpx.AsyncClient) -> None:
    for path in EVERYTHING:
        said = (await browser.get(path.format(account=live.account))).headers
        policy = dict(part.strip().partition(" ")[::2] for part in said["content-security-policy"].split(";"))

        assert (said["x-content-type-options"], said["referrer-policy"], said["x-frame-options"]) == ("nosniff", "no-referrer", "DENY"), path
        assert (policy["frame-ancestors"], policy["base-uri"], policy["form-action"]) == ("'none'", "'none'", "'self'"), path
        assert policy["default-src"] == "'self'", path
        assert policy.get("connect-src", "'self'") == "'self'", path
        assert ("unsafe" in said["content-security-policy"]) == (path == "/docs"), path
        assert "strict-transport-security" not in said, path
        assert ("no-store" in said["cache-control"]) == (path != "/static/base.css"), path
        assert not [name for name in said if name.startswith("access-control")], path
        assert "server" not in said or "uvicorn" in said["server"], path


async def test_pages_hold_no_script_or_style_of_their_own(live: World, inside: httpx.AsyncClient) -> None:
    """What the policy forbids is not there either; so a page works as it is meant to."""
    for path in PAGES:
        page = (await inside.get(path.format(account=live.account))).text

        assert re.findall(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\son\w+=|\sstyle=|javascript:", page) == [], path
        assert [source for source in re.findall(r'<(?:script|link|img)[^>]*(?:src|href)="([^"]*)"', page) if not source.startswith("/static/")] == []


async def test_a_cookie_is_kept_from_scripts_and_other_sites_and_is_secure_under_tls(live: World, browser: httpx.AsyncClient, link: str) -> None:
    async with live.parts.db.transaction(live.tenant) as tx:
        second = await members.create_signin(tx, live.member.id, 5)
    plain = (await browser.post(DOOR, json={"token": link})).headers["set-cookie"]
    tls = await browser.post(DOOR, json={"token": second}, headers={"x-forwarded-proto": "https"})  # as a proxy on this machine says it

    assert {"HttpOnly", "SameSite=lax", "Path=/", "Max-Age=43200"} <= set(plain.split("; "))
    assert ("Secure" in plain, "Secure" in tls.headers["set-cookie"]) == (False, True)
    assert "max-age=31536000" in tls.headers["strict-transport-security"]


async def test_a_sign_in_is_another_each_time_and_a_link_is_used_up(live: World, browser: httpx.AsyncClient, link: str) -> None:
    first = await browser.post(DOOR, json={"token": link})
    before = browser.cookies[COOKIE]
    again = await browser.post(DOOR, json={"token": link})
    async with live.parts.db.transaction(live.tenant) as tx:
        second, old = [await members.create_signin(tx, live.member.id, minutes) for minutes in (5, -1)]
    csrf = await _csrf(browser)
    await browser.post(DOOR, json={"token": second})

    assert (first.status_code, again.status_code) == (200, 401)
    assert "set-cookie" not in again.headers
    assert browser.cookies[COOKIE] != before
    assert await _csrf(browser) != csrf
    assert {(await browser.post(DOOR, json={"token": token})).status_code for token in (old, "x", link[:-1], live.token)} == {401}


async def test_a_cookie_that_was_made_up_signs_nobody_in(live: World, settings: Settings, inside: httpx.AsyncClient) -> None:
    true, said = inside.cookies[COOKIE], {"tenant": live.tenant, "member": live.member.id, "csrf": "x"}
    key = settings.signing_key.get_secret_value()
    forged = {
        "another key": URLSafeTimedSerializer("a" * 32, salt="console").dumps(said),
        "another purpose": URLSafeTimedSerializer(key, salt=f"visitor:{live.account}").dumps(said),
        "cut": true[:-2],
        "mixed": ".".join([URLSafeTimedSerializer(key, salt="x").dumps(said).rsplit(".", 2)[0], *true.rsplit(".", 2)[1:]]),
        "nothing": "",
        "no member": URLSafeTimedSerializer(key, salt="console").dumps(said | {"member": "mem_none"}),
        "no tenant": URLSafeTimedSerializer(key, salt="console").dumps(said | {"tenant": "ten_none"}),
    }
    async with httpx.AsyncClient(base_url=live.api_url, timeout=30) as client:
        statuses = {kind: (await client.get("/v1/me", headers={"cookie": f"{COOKIE}={value}"})).status_code for kind, value in forged.items()}

    assert set(statuses.values()) == {401}, statuses


async def test_a_cookie_that_is_too_old_signs_nobody_in(live: World, settings: Settings, browser: httpx.AsyncClient) -> None:
    signer = URLSafeTimedSerializer(settings.signing_key.get_secret_value(), salt="console")
    made = signer.make_signer("console")
    made.get_timestamp = lambda: int(time.time()) - 12 * 3600 - 60  # type: ignore[method-assign]
    old = made.sign(signer.dump_payload({"tenant": live.tenant, "member": live.member.id, "csrf": "x"})).decode()

    assert (await browser.get("/v1/me", headers={"cookie": f"{COOKIE}={old}"})).status_code == 401


async def test_a_page_of_another_site_changes_nothing_with_the_cookie(live: World, inside: httpx.AsyncClient) -> None:
    """By no token, an empty one, another session's, one in the wrong place, a form, or a body that only looks like text."""
    async with live.parts.db.transaction(live.tenant) as tx:
        other = await members.create_signin(tx, live.member.id, 5)
    async with httpx.AsyncClient(base_url=live.api_url, timeout=30) as second:
        await second.post(DOOR, json={"token": other})
        theirs = await _csrf(second)
    mine, body = await _csrf(inside), {"name": "made by another site"}
    tricks: list[dict[str, Any]] = [
        {"json": body},
        {"json": body, "headers": {"x-csrf-token": ""}},
        {"json": body, "headers": {"x-csrf-token": theirs}},
        {"json": body, "headers": {"x-csrf-token": mine[:-1]}},
        {"json": body, "headers": {"x-csrf-token": "é".encode("latin-1")}},
        {"json": body | {"csrf": mine, "x-csrf-token": mine}},
        {"data": body | {"x-csrf-token": mine}},
        {"content": b'{"name": "x"}', "headers": {"content-type": "text/plain"}},
        {"json": body, "headers": {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}},
        {"json": body, "headers": {"x-http-method-override": "GET"}},
        {"json": body, "headers": {"authorization": "Basic eDp5"}},
        {"json": body, "headers": {"idempotency-key": "k"}},
    ]

    answers = [await inside.post("/v1/agents", **trick) for trick in tricks]
    others = [await inside.request(method, path) for method, path in (("DELETE", f"/v1/accounts/{live.account}"), ("POST", OUT))]

    assert {(answer.status_code, answer.json()["code"]) for answer in [*answers, *others]} == {(403, "csrf_failed")}
    assert len((await inside.get("/v1/agents")).json()["items"]) == 1
    assert (await inside.post("/v1/agents", json=body, headers={"x-csrf-token": mine})).status_code == 201


async def test_what_is_asked_by_get_changes_nothing() -> None:
    """So that a link or an image of another site cannot: no route that changes something answers GET."""
    verbs = ("create", "change", "remove", "decide", "send", "revoke", "connect", "resume", "close", "enter", "leave", "drop")
    gets = [route.name for router in ROUTERS for route in router.routes if "GET" in (getattr(route, "methods", None) or ())]

    assert len(gets) > 30
    assert [name for name in gets if name.startswith(verbs)] == []


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
async def test_other_sites_are_not_invited(live: World, browser: httpx.AsyncClient, method: str) -> None:
    headers = {"origin": "http://evil.example", "access-control-request-method": "POST", "access-control-request-headers": "authorization"}

    for path in ("/v1/me", "/v1/events", DOOR, f"/chat/{live.account}"):
        async with browser.stream(method, path, headers=headers) as answer:
            assert not [name for name in answer.headers if name.startswith("access-control")]


SPOOFS = (
    {"host": "evil.example"}, {"x-forwarded-host": "evil.example"}, {"x-forwarded-for": "1.2.3.4"}, {"x-original-url": "/v1/me"},
    {"x-forwarded-prefix": "//evil.example"}, {"forwarded": "host=evil.example;proto=https"},
)  # fmt: skip
ELSEWHERE = (
    "//evil.example", "//evil.example/%2e%2e", "/\\evil.example", "/console?next=http://evil.example", "/console//evil.example",
    f"{DOOR}?next=//evil.example", "/?url=http://evil.example", "/docs/", "/console/", "//evil.example//",
)  # fmt: skip
CLIMBS = (
    "../assets.py", "%2e%2e/assets.py", "..%2fassets.py", "%2e%2e%2f%2e%2e%2f%2e%2e%2fsettings.py", "....//assets.py", "..\\assets.py",
    "%5c..%5cassets.py", "/etc/passwd", "%2fetc%2fpasswd", "docs/../../assets.py", "docs/%2e%2e/%2e%2e/templates/base.html", "base.css%00.js",
    "%252e%252e/assets.py",
)  # fmt: skip


@pytest.mark.parametrize("spoof", SPOOFS)
async def test_a_spoofed_address_leads_nowhere_and_lets_nobody_in(live: World, inside: httpx.AsyncClient, spoof: dict[str, str]) -> None:
    made = await live.api.get(f"/v1/accounts/{live.account}", headers=spoof)
    for path in ("/", "/console", f"/chat/{live.account}", DOOR, CONSOLE):
        answer = await inside.get(path, headers=spoof)

        assert "evil" not in answer.text + str(answer.headers)
        assert answer.headers.get("location", CONSOLE) == CONSOLE
    assert made.json()["chat_url"].startswith(live.parts.settings.public_url)
    async with httpx.AsyncClient(base_url=live.api_url, headers=spoof) as nobody:
        assert (await nobody.get("/v1/me")).status_code == 401


@pytest.mark.parametrize("path", ELSEWHERE)
async def test_nothing_redirects_to_another_site(live: World, inside: httpx.AsyncClient, path: str) -> None:
    answer = await inside.get(live.api_url + path)

    target = httpx.URL(live.api_url).join(answer.headers.get("location", "/"))
    assert (target.host, target.port) == (httpx.URL(live.api_url).host, httpx.URL(live.api_url).port)


@pytest.mark.parametrize("climb", CLIMBS)
async def test_static_files_lead_nowhere_else(live: World, browser: httpx.AsyncClient, climb: str) -> None:
    raw = httpx.URL(live.api_url).copy_with(raw_path=f"/static/{climb}".encode())

    answer = await browser.get(raw)

    assert answer.status_code in (400, 404), answer.text[:200]


async def test_names_are_text_on_every_page(live: World, inside: httpx.AsyncClient) -> None:
    """Where the server writes them into a page; what the browser writes is in tests/browser."""
    live.sql.execute("update accounts set name = %s where tenant_id = %s", (HURT, live.tenant))
    live.sql.execute("update members set name = %s where tenant_id = %s", (HURT, live.tenant))

    pages = [(await inside.get(path.format(account=live.account))).text for path in ("/chat/{account}", CONSOLE)]

    assert all(HURT not in page and "&lt;img src=x" in page for page in pages)


@pytest.mark.parametrize("account", [HURT, "\"><script>alert(1)</script>", "{{7*7}}", "' or 1=1 --", "%", "..%2f..", "a" * 3000])
async def test_an_address_that_was_made_up_is_not_written_into_a_page(browser: httpx.AsyncClient, account: str) -> None:
    answer = await browser.get(f"/chat/{quote(account, safe='%')}")

    assert answer.status_code == 404
    assert account not in answer.text
    assert "49" not in re.sub(r"v=\w+", "", answer.text)


async def test_what_is_private_is_not_told_to_who_is_not_signed_in(live: World, browser: httpx.AsyncClient) -> None:
    page = await browser.get(CONSOLE)

    assert (page.status_code, page.headers["location"]) == (303, DOOR)
    assert live.member.id not in page.text


async def test_an_answer_about_an_api_error_is_no_page(live: World) -> None:
    """What was sent is not told back as markup."""
    answers = [await live.api.get(path) for path in (f"/v1/sessions/{quote(HURT)}", f"/v1/agents?{quote(HURT)}=x", f"/{quote(HURT)}")]
    answers.append(await live.api.post("/v1/agents", content=HURT))

    assert {answer.headers["content-type"] for answer in answers} == {"application/problem+json"}
