"""The page that explains the API, and the schema it shows. Everything it needs is served from here: no other host is asked."""

from importlib.resources import files

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import JSONResponse, Response

from api.console.assets import Static
from api.deps import within_reach

router = APIRouter(include_in_schema=False, dependencies=[Depends(within_reach)])
SCHEMA = "/openapi.json"
ASSETS = "/static/docs"
POLICY = (
    "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
"""Swagger UI is begun by a script in the page and styles itself inline; the pages of the console allow neither."""


def mount_assets(app: FastAPI) -> None:
    """Serves Swagger UI's own files. Mounted before /static, which lies around them."""
    app.mount(ASSETS, Static(directory=str(files("fastapi_offline") / "static")), name="docs_assets")


@router.get(SCHEMA)
async def schema(request: Request) -> Response:
    """The OpenAPI schema."""
    return JSONResponse(request.app.openapi())


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Every operation, to read and to try."""
    page = get_swagger_ui_html(
        openapi_url=SCHEMA,
        title=request.app.title,
        swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS}/swagger-ui.css",
        swagger_favicon_url="/static/mark.svg",
    )
    page.headers["content-security-policy"] = POLICY
    return page
