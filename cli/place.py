"""Where Switchboard is and what opens it: named by the person, by the environment, or read from the folder that `up` keeps."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from domain.errors import StartFailed
from domain.hosts import is_loopback

DEFAULT = "http://127.0.0.1:8080"

ApiOption = Annotated[
    str, typer.Option("--api", envvar="SWITCHBOARD_API", show_envvar=False, metavar="URL", help="The API (SWITCHBOARD_API; else what `up` started).")
]
KeyOption = Annotated[
    str, typer.Option("--key", envvar="SWITCHBOARD_KEY", show_envvar=False, metavar="KEY", help="An API key (SWITCHBOARD_KEY; else DIR/admin_token).")
]
DataOption = Annotated[
    Path, typer.Option("--data", envvar="SWITCHBOARD_DATA_DIR", show_envvar=False, metavar="DIR", help="The folder that `up` keeps everything in.")
]
DATA = Path(".switchboard")


@dataclass(frozen=True)
class Place:
    """An API, the key for it (empty when none is known) and the data folder, which need not exist."""

    api: str
    key: str
    data: Path

    @property
    def near(self) -> bool:
        """Whether the API is on this machine, so that no proxy stands between."""
        return is_loopback(urlsplit(self.api).hostname or "")


def find(api: str, key: str, data: Path) -> Place:
    """The place as far as it was named, and the rest from the data folder. Raises StartFailed for an address that is none."""
    address = (api or served_at(data) or DEFAULT).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise StartFailed(f"{address} is no address such as {DEFAULT}; name the API with --api or SWITCHBOARD_API.")
    ours = not api or address == served_at(data) or is_loopback(parts.hostname)  # the folder's key is shown to no stranger
    return Place(address, key or (admin_token(data) if ours else ""), data)


def nothing_answers(place: Place) -> str:
    """What to say when an API cannot be reached."""
    return f"Nothing answers at {place.api}; start it with `./switchboard up`, or name another with --api."


def served_at(data: Path) -> str:
    """Where the last start over this folder served; empty when nothing was started here."""
    with suppress(OSError, ValueError, KeyError):
        return str(json.loads((data / "serving.json").read_text("utf-8"))["api"])
    return ""


def admin_token(data: Path) -> str:
    """The key that `up` made; empty when there is none. Raises StartFailed when it may not be read."""
    try:
        return (data / "admin_token").read_text("ascii").strip()
    except PermissionError as error:
        raise StartFailed(f"{data / 'admin_token'} belongs to another user; give a key of your own with --key or SWITCHBOARD_KEY.") from error
    except (OSError, UnicodeDecodeError):
        return ""


def kept_keys(data: Path) -> Mapping[str, str]:
    """What `up` sealed with and the passwords of its database; nothing when nothing was started here. Raises StartFailed."""
    try:
        found: Mapping[str, str] = json.loads((data / "keys.json").read_text("utf-8"))
    except PermissionError as error:
        raise StartFailed(f"{data / 'keys.json'} belongs to another user; run this as that user, or set DATABASE_URL.") from error
    except (OSError, ValueError):
        return {}
    return found


def postgres_port(data: Path) -> int | None:
    """The port of the Postgres that runs over this folder, as it wrote it down; None when none runs."""
    with suppress(OSError, ValueError, IndexError):
        return int((data / "postgres" / "postmaster.pid").read_text("ascii").splitlines()[3])
    return None
