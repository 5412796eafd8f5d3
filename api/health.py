"""Whether this process lives, and whether what it needs answers."""

import asyncio
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from temporalio.service import RPCError

from api import errors
from api.deps import PartsHere, within_reach
from api.routers import problems
from domain.errors import StoreUnavailable
from parts import Parts

router = APIRouter(tags=["health"])
ANSWERS_WITHIN = 3.0
"""Seconds Postgres and Temporal have to answer before they count as away."""


@router.get("/healthz", include_in_schema=True)
async def healthz() -> dict[str, str]:
    """Lives."""
    return {"status": "ok"}


@router.get("/readyz", response_model=None)
async def readyz(parts: PartsHere) -> dict[str, Any] | Response:
    """Postgres and Temporal answer; 503 names which does not."""
    away = [
        name for name, answers in zip(("postgres", "temporal"), await asyncio.gather(_postgres(parts), _temporal(parts)), strict=True) if not answers
    ]
    return errors.problem(503, "not_ready", f"Does not answer: {', '.join(away)}.", away=away) if away else {"status": "ok"}


@router.get("/metrics", response_class=Response, dependencies=[Depends(within_reach)], responses=problems(401))
async def metrics(request: Request) -> Response:
    """Figures for Prometheus. Beyond loopback they are told to whoever is signed in, such as by a key."""
    await request.app.state.watch.look()
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def _postgres(parts: Parts) -> bool:
    try:
        await asyncio.wait_for(parts.db.ping(), ANSWERS_WITHIN)
    except (StoreUnavailable, TimeoutError):
        return False
    return True


async def _temporal(parts: Parts) -> bool:
    try:
        return await parts.temporal.service_client.check_health(timeout=timedelta(seconds=ANSWERS_WITHIN))
    except (RPCError, RuntimeError):
        return False
