"""The schema at /openapi.json, completed by what every operation has in common: who may call, and how errors look."""

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict, Field

from api.routers import problems


class Problem(BaseModel):
    """An error as RFC 9457 has it. `code` is stable; more members may follow, such as who decided and when."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str = Field(description="What is wrong and what to do, in words.")
    field: str | None = Field(default=None, description="The field that is not accepted.")


SCHEMES = {
    "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "console": {"type": "apiKey", "in": "cookie", "name": "switchboard", "description": "The console's cookie; changes need X-CSRF-Token as well."},
}
IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "The same request with the same key is carried out once within 24 h; its answer is repeated with `Idempotent-Replayed: true`.",
}  # fmt: skip


class Application(FastAPI):
    """FastAPI with a complete schema; an operation's id is its route's name, as the table of permissions has it."""

    def __init__(self, **more: Any) -> None:
        super().__init__(generate_unique_id_function=_name, **more)

    def openapi(self) -> dict[str, Any]:
        """The schema, made once."""
        if self.openapi_schema is None:
            _complete(super().openapi())
        assert self.openapi_schema is not None
        return self.openapi_schema


def _name(route: APIRoute) -> str:
    return route.name


def _complete(schema: dict[str, Any]) -> None:
    components = schema.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = Problem.model_json_schema()
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            _complete_operation(path, method, operation)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _complete_operation(path: str, method: str, operation: dict[str, Any]) -> None:
    parameters = operation.get("parameters", [])
    statuses = [404] if "{" in path else []
    statuses += [422] if parameters or "requestBody" in operation else []
    statuses += [413] if method in ("post", "patch") else []
    if path.startswith("/v1/"):
        operation["security"] = [{name: []} for name in SCHEMES]
        statuses += [401, 403, 503]
        if method == "post":
            operation["parameters"] = [*(p for p in parameters if p["name"] != IDEMPOTENCY_KEY["name"]), IDEMPOTENCY_KEY]
            statuses += [409]
    responses = operation["responses"]
    for status, response in problems(*statuses).items():
        if "application/problem+json" not in responses.get(str(status), {}).get("content", {}):
            responses[str(status)] = response
    operation["responses"] = dict(sorted(responses.items()))
