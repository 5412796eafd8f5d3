"""The unprivileged account Postgres runs under when we are root: Postgres refuses to be root itself."""

import os
import pwd
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from domain.errors import StartFailed

PREFERRED = ("postgres", "nobody")
MAY_PASS = (("dac_read_search", 2), ("dac_override", 1))
"""Capabilities that let a program reach its files through folders closed to it, the lesser one first, with their numbers."""


@dataclass(frozen=True)
class Account:
    """A user of this machine."""

    name: str
    uid: int
    gid: int


def postgres_account(data: Path) -> Account | None:
    """The account for Postgres: the owner of existing data, else one made for such things. None when we are no root and need none.

    Raises StartFailed when the machine has no such account.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        return _named(owner)
    for name in PREFERRED:
        try:
            return _named(pwd.getpwnam(name).pw_uid)
        except KeyError:
            continue
    raise StartFailed("Postgres does not run as root and this machine has no account `nobody`; start Switchboard as another user.")


def _named(uid: int) -> Account:
    try:
        found = pwd.getpwuid(uid)
    except KeyError as error:
        raise StartFailed(f"The data belongs to user {uid}, who has no account here; create one, or change the owner.") from error
    return Account(found.pw_name, found.pw_uid, found.pw_gid)


def run_as(account: Account | None, command: list[str], needs: list[Path], death_signal: str = "KILL") -> list[str]:
    """The command as `account` runs it: with no right of root's but passing through folders on the way to what it `needs`.

    Raises StartFailed when the account cannot get there.
    """
    if account is None:
        return command
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        raise StartFailed("Postgres does not run as root, and `setpriv` (util-linux) is missing; install it, or start as another user.")
    drop = [setpriv, f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups", f"--pdeathsig={death_signal}"]
    if all(reaches(account, path) for path in needs):
        return [*drop, "--inh-caps=-all", "--", *command]
    capability = _passing()
    if capability is None:
        closed = next(path for path in needs if not reaches(account, path))
        raise StartFailed(f"Postgres does not run as root, and user {account.name} cannot reach {closed}; start as another user.")
    # Without the bit, access(2) would deny what open(2) allows, and Postgres looks for its own files with access(2).
    passing = [f"--inh-caps=-all,+{capability}", f"--ambient-caps=-all,+{capability}", "--securebits=+no_setuid_fixup"]
    return [*drop, *passing, "--", *command]


def reaches(account: Account, path: Path) -> bool:
    """Whether the account may pass all folders above `path`."""
    return all(_may_pass(account, folder.stat()) for folder in path.resolve().parents)


def _may_pass(account: Account, folder: os.stat_result) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & 0o100)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & 0o010)
    return bool(folder.st_mode & 0o001)


def _passing() -> str | None:
    """The least capability we hold that lets Postgres pass."""
    if sys.platform != "linux":
        return None
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    held = next((int(line.split()[1], 16) for line in lines if line.startswith("CapPrm:")), 0)
    return next((name for name, number in MAY_PASS if held >> number & 1), None)
