"""What `up` started: whether all parts run, and whether the API answers."""

from datetime import UTC, datetime, timedelta

import httpx

from cli.checks import Finding, Skipped, are, fail, listed, ok, warn
from cli.checks.ground import STOPPED, Ground
from cli.place import served_at
from domain.hosts import is_loopback

LATELY = timedelta(minutes=10)
OFTEN = 3
"""Ends within LATELY that make a pattern."""
ANSWER_WITHIN = 5.0


def parts(ground: Ground) -> Finding:
    """Everything that `up` started runs, and does not end again and again."""
    if not ground.up:
        return _leftovers(ground)
    kept = {"Postgres": ground.near_postgres and (ground.data / "postgres").exists(), "Temporal": ground.near_temporal and _temporal_is_ours(ground)}
    wanted = [*(name for name, ours in kept.items() if ours), "worker", "API"]
    if ended := [name for name in wanted if not ground.runs(name)]:
        logs = listed([ground.log(name.lower()) for name in ended])
        return fail(f"{are(ended)} not running; it is tried again and again.", f"Read the end of {logs}.")
    if often := _ended_often(ground):
        name, times = often
        return warn(f"{name} ended {times} times in the last ten minutes.", f"Read {ground.log('up')}, and the end of {ground.log(name.lower())}.")
    return ok(f"{listed(wanted, 4)} run under pid {ground.up}.")


def _temporal_is_ours(ground: Ground) -> bool:
    return (ground.data / "temporal.db").exists()


def _leftovers(ground: Ground) -> Finding:
    left = [name for name in ground.parts if ground.runs(name)]
    if left:
        return warn(f"{listed(left, 4)} of an earlier start still run.", "Start with `./switchboard up`: it ends them first.")
    if ground.far:
        raise Skipped("Postgres and Temporal are elsewhere; nothing would be started here.")
    raise Skipped(STOPPED)


def _ended_often(ground: Ground) -> tuple[str, int] | None:
    """The part that ended most often lately and how often, when that is often."""
    since = (datetime.now(UTC) - LATELY).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        lines = (ground.data / "logs" / "up.log").read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    lately = [line.split(" ") for line in lines if line > since]
    ends = [words[1] for words in lately if words[2:3] == ["ended"]] + [words[1] for words in lately if words[2:3] == ["ends"]] * OFTEN
    most = max(set(ends), key=ends.count, default="")
    return (most, ends.count(most)) if ends.count(most) >= OFTEN else None


async def api(ground: Ground) -> Finding:
    """The API serves, and reaches Postgres and Temporal."""
    address = _address(ground)
    near = bool(ground.up) or is_loopback(httpx.URL(address).host)
    try:
        async with httpx.AsyncClient(timeout=ANSWER_WITHIN, trust_env=not near) as http:
            said = await http.get(f"{address}/readyz")
    except httpx.HTTPError:
        mend = f"Read the end of {ground.log('api')}." if ground.up else "Start `./switchboard api`, or correct SWITCHBOARD_PUBLIC_URL."
        return fail(f"Nothing answers at {address}.", mend)
    if said.status_code == httpx.codes.OK:
        return ok(f"The API at {address} answers in {said.elapsed.total_seconds() * 1000:,.0f} ms.")
    away = _away(said)
    if away:
        return fail(f"The API at {address} does not reach {listed(away)}.", "Mend that first; the checks of it are below.")
    return fail(f"{address} answers {said.status_code}, as no API of ours does.", "Look what listens there.")


def _address(ground: Ground) -> str:
    if ground.up and (found := served_at(ground.data)):
        return found
    if "public_url" in ground.settings.model_fields_set:
        return ground.settings.public_url.rstrip("/")
    raise Skipped("No API is named; set SWITCHBOARD_PUBLIC_URL." if ground.far else STOPPED)


def _away(said: httpx.Response) -> list[str]:
    """The parts that an API which is not ready does not reach."""
    try:
        return [str(name).capitalize() for name in said.json()["away"]]
    except (ValueError, KeyError, TypeError):
        return []
