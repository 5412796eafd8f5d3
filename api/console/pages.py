"""The pages people see: the web chat, the approvals, the way in. Templates are filled here; what lives on them comes over /v1."""

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
_IMPORTED = re.compile(r'^(?:import|export)\b.*?from "\./([\w-]+\.js)";', re.MULTILINE)

_ENVIRONMENT = Environment(loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def asset(name: str) -> str:
    """The address of a static file, with its content's hash: a changed file has another address, so browsers may keep each for ever."""
    return f"/static/{name}?v={hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]}"


_ENVIRONMENT.globals["asset"] = asset


class Static(StaticFiles):
    """The pages' own files. With the hash in its query a file is kept by browsers; modules that import each other are asked for anew."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = A_YEAR if b"v=" in scope["query_string"] and response.status_code == 200 else EVERY_TIME
        return response


@cache
def modules(entry: str) -> tuple[str, ...]:
    """Every module that an entry imports, itself left out: named in the page, they are fetched side by side instead of one after another."""
    found: list[str] = []
    waiting = [entry]
    while waiting:
        for name in _IMPORTED.findall((STATIC / waiting.pop()).read_text(encoding="utf-8")):
            if name not in found:
                found.append(name)
                waiting.append(name)
    return tuple(sorted(found))


def page(template: str, status: int = 200, **filled: object) -> HTMLResponse:
    """A template as a response that no cache keeps."""
    text = _ENVIRONMENT.get_template(template).render(**filled)
    return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})
