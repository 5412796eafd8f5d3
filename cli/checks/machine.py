"""The machine: Python, disk, ports, and who may read our keys."""

import shutil
import stat
import sys
from pathlib import Path

import psutil

from cli.checks import Finding, Skipped, fail, listed, ok, warn
from cli.checks.ground import Ground
from cli.output import short
from domain.errors import StartFailed
from domain.hosts import is_loopback
from embedded import bootstrap
from embedded.ports import require_free

OLDEST = (3, 11)
SCARCE, TIGHT = 256 * 2**20, 2 * 2**30
"""Bytes of free disk below which the databases will soon fail, and below which it is time to look."""
INWARD = ("Postgres", "Temporal")
"""Parts that nobody but us has to reach."""


def python(ground: Ground) -> Finding:
    """The interpreter is new enough and its packages are those of the lock file."""
    version = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < OLDEST:
        return fail(f"This is Python {version}.", f"Install Python {OLDEST[0]}.{OLDEST[1]} or newer, remove .venv and start `./switchboard` with it.")
    if not (bootstrap.BUILT.exists() and Path(sys.prefix) == bootstrap.VENV):
        return ok(f"Python {version}.")
    if not bootstrap.complete(test=False):
        return warn("The packages in .venv are not those of requirements.lock.", "Run any command as `./switchboard`: it updates them.")
    return ok(f"Python {version}, with the packages of requirements.lock.")


def disk(ground: Ground) -> Finding:
    """There is room for the databases to grow."""
    place = ground.data.absolute()
    free = shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free
    found = f"{_size(free)} are free for {short(place)}."
    if free < SCARCE:
        return fail(found, "Free some space soon: databases that cannot write refuse every message.")
    if free < TIGHT:
        return warn(found, "Free some space, or move the folder to a larger disk and name it with --data.")
    return ok(found)


def _size(free: int) -> str:
    return f"{free / 2**30:,.1f} GB" if free >= 2**30 else f"{free / 2**20:,.0f} MB"


def ports(ground: Ground) -> Finding:
    """A stopped stack finds its ports free; a running one shows its databases to this machine only."""
    if ground.up:
        return _listening(ground)
    if ground.far:
        raise Skipped("Postgres and Temporal are elsewhere; nothing would be started here.")
    wanted = {"--port": ground.ports.api}
    if ground.near_temporal:
        wanted |= {"--temporal-port": ground.ports.temporal, "--ui-port": ground.ports.ui}
    taken = [said for option, port in wanted.items() if port and (said := _refusal(port, option))]
    if taken:
        return fail(f"{', '.join(taken)}.", "Stop what has it, or choose others: `./switchboard up --port auto` finds free ones.")
    return ok(f"Free for the next start: {listed([str(port) for port in wanted.values() if port]) or 'any'}.")


def _refusal(port: int, option: str) -> str:
    try:
        require_free("127.0.0.1", port, option)
    except StartFailed as refused:
        return str(refused).partition(";")[0]
    return ""


def _listening(ground: Ground) -> Finding:
    seen = {name: _addresses(ground, name) for name in (*INWARD, "API")}
    beyond = [name for name in INWARD if any(not is_loopback(host) for host, _ in seen[name])]
    if beyond:
        mend = "Stop it, start it with `./switchboard up`, and let a firewall close what was open."
        return fail(f"{listed(beyond)} can be reached from other machines.", mend)
    open_ = any(not is_loopback(host) for host, _ in seen["API"])
    who = "The API can be reached from this network, as --lan asks" if open_ else "Only this machine reaches the API"
    where = [str(port) for _, port in seen["API"]]
    return ok(f"{who} (port {listed(where)})." if where else f"{who}.")


def _addresses(ground: Ground, name: str) -> set[tuple[str, int]]:
    """Where a part listens, as far as we may see it."""
    try:
        found = ground.part(name).net_connections(kind="tcp")
    except (Skipped, psutil.Error):
        return set()
    return {(one.laddr[0], one.laddr[1]) for one in found if one.status == psutil.CONN_LISTEN}


def files(ground: Ground) -> Finding:
    """Nobody but us reads the keys."""
    folder = ground.data.absolute()
    try:
        if not folder.exists():
            raise Skipped("Nothing is kept here yet.")
        open_ = [path for path in (folder, *sorted(folder.iterdir())) if _mode(path) & 0o077]
    except PermissionError:
        return fail(f"{short(folder)} belongs to another user.", "Run this as that user, or name another folder with --data.")
    if open_:
        named = [f"{short(path)} ({_mode(path):04o})" for path in open_]
        return fail(f"Others on this machine may open {listed(named)}.", f"Run `chmod -R go= {short(folder)}`.")
    return ok(f"Nobody else may read {short(folder)} and its keys.")


def _mode(path: Path) -> int:
    """Who may do what with a file; 0 for one that is gone meanwhile."""
    try:
        return stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return 0
