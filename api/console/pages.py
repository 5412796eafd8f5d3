"""The pages people see: the web chat, the approvals, and the door to them. What lives on a page comes over /v1."""

from typing import Annotated

from fastapi import APIRouter, Depends, FastAPI, Request
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse, RedirectResponse, Response

from api.console.assets import STATIC, Static, page
from api.deps import COOKIE, SIGNED_IN_FOR, PartsHere, caller, sign_in
from api.tour import offered
from domain.errors import Unauthorized
from domain.messages import MAX_TEXT
from domain.roles import Member
from store import accounts, members
from store.pool import Transaction

router = APIRouter(include_in_schema=False)
DOOR = "/console/sign-in"
APPROVALS = "/console/approvals"
DEMO = "demo"
WEB_CHAT = "webchat"
SUGGESTIONS = (
    {"text": "echo hello", "why": "Hear it back"},
    {"text": "refund 25 to Ana", "why": "Waits for a person’s word"},
    {"text": "plan pack; ship; tell", "why": "Works through a plan"},
)
"""What a visitor of the demo may try first."""


class SignIn(BaseModel):
    """The one-time token of a sign-in link. It is the credential, so this needs no CSRF token."""

    token: str = Field(min_length=1, max_length=200)


def mount_static(app: FastAPI) -> None:
    """Serves the pages' own files under /static."""
    app.mount("/static", Static(directory=STATIC), name="static")


async def visitor(request: Request) -> Member | None:
    """The member who is signed in, if anybody is."""
    try:
        return await caller(request)
    except Unauthorized:
        return None


Visitor = Annotated[Member | None, Depends(visitor)]


@router.get("/chat/{account_id}")
async def chat_page(account_id: str, parts: PartsHere, member: Visitor) -> Response:
    """The web chat of an account; anybody may open it. The demo's owner is offered the tour."""
    tenant = await accounts.tenant_of(parts.db, account_id)
    if tenant is None:
        return page("not_here.html", 404)
    async with parts.db.transaction(tenant) as tx:
        account = await accounts.one(tx, account_id)
        is_demo = await _tenant_name(tx) == DEMO
    if account is None or account.channel != WEB_CHAT:
        return page("not_here.html", 404)
    guide = member if is_demo and offered(parts, member) else None
    suggestions = SUGGESTIONS if is_demo else ()
    return page("chat.html", account_id=account.id, account_name=account.name, longest=MAX_TEXT, suggestions=suggestions, guide=guide)


@router.get("/")
@router.get("/console")
async def console_page() -> Response:
    """The console begins with what waits. A browser takes the fragment of a sign-in link along."""
    return RedirectResponse(APPROVALS, 303)


@router.get(APPROVALS)
async def approvals_page(parts: PartsHere, member: Visitor) -> Response:
    """What waits for a decision, and what was decided."""
    if member is None:
        return RedirectResponse(DOOR, 303)
    async with parts.db.transaction(member.tenant_id) as tx:
        tenant = await _tenant_name(tx)
        chats = [account.id for account in await accounts.listed(tx, before=None, limit=50) if account.channel == WEB_CHAT]
    return page(
        "approvals.html",
        member=member,
        role=member.role.replace("_", " "),
        tenant=tenant,
        temporal_ui_url=parts.settings.temporal_ui_url,
        chat_url=f"/chat/{chats[-1]}" if chats else None,
    )


@router.get(DOOR)
async def sign_in_page() -> Response:
    """Where a sign-in link leads. Its token stays in the fragment, which no server and no log sees."""
    return page("sign_in.html")


@router.post(DOOR)
async def enter(given: SignIn, request: Request, parts: PartsHere) -> Response:
    """Uses a sign-in link up. Raises Unauthorized when it was used, is too old, or never was."""
    known = await members.use_signin(parts.db, given.token)
    if known is None:
        raise Unauthorized("This link was used or is too old; `./switchboard up` prints a new one.")
    response = JSONResponse({"next": APPROVALS})
    is_secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, sign_in(request, *known), max_age=SIGNED_IN_FOR, httponly=True, samesite="lax", secure=is_secure)
    return response


@router.post("/console/sign-out")
async def leave(_: Annotated[Member, Depends(caller)]) -> Response:
    """Forgets who is signed in. Needs the CSRF token, so that nobody else signs a member out."""
    response = JSONResponse({"next": DOOR})
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
    return response


async def _tenant_name(tx: Transaction) -> str:
    found = await tx.row("members/tenant", dict)
    return str(found["name"]) if found else ""
