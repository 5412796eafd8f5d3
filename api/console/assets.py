"""How pages are made of files: templates filled with autoescape, and static files that browsers may keep."""

import hashlib
import re
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

HERE = Path(__file__).parent
STATIC = HERE / "static"
A_YEAR = "public, max-age=31536000, immutable"
EVERY_TIME = "no-cache"

_TEMPLATES = Environment(
    loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_IMPORTED = re.compile(r'^(?:import|export)\b.*?from "\./([\w-]+\.js)";', re.MULTILINE)


class Static(StaticFiles):
    """The pages' own files. With its hash in the query a file is kept for good; the modules that import each other are asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file; a browser that has it already gets 304."""
        response = await super().get_response(path, scope)
        hashed = scope["query_string"].startswith(b"v=") and response.status_code == 200
        response.headers["Cache-Control"] = A_YEAR if hashed else EVERY_TIME
        return response


@cache
def asset(name: str) -> str:
    """The address of a static file, with its content's hash: a changed file has another address."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


@cache
def modules(entry: str) -> tuple[str, ...]:
    """The modules that an entry imports. Named in the page they are fetched side by side, not one after another."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        for name in _IMPORTED.findall((STATIC / waiting.pop()).read_text(encoding="utf-8")):
            if name not in found:
                found.append(name)
                waiting.append(name)
    return tuple(sorted(found))


def page(template: str, status: int = 200, **filled: object) -> HTMLResponse:
    """A template, filled; no cache keeps it. A name that a template misses is an error, not a gap."""
    text = _TEMPLATES.get_template(template).render(**filled)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})


_TEMPLATES.globals.update(asset=asset, modules=modules)
