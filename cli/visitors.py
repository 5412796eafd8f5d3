"""Who we are in a web chat: the token that lets a conversation go on, kept in the data folder for us alone."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cli.place import Place
from domain.errors import StartFailed
from embedded.folder import write_privately


@dataclass
class Visitor:
    """One visitor of one web chat. `after` is the last seq that was seen; without a `token` the server makes us somebody new."""

    file: Path
    name: str
    token: str | None = None
    after: int = 0

    def keep(self) -> None:
        """Writes it down, once there is a token. Raises StartFailed where the folder cannot be written."""
        if self.token is None:
            return
        try:
            self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise StartFailed(f"{self.file.parent} cannot be made ({error.strerror}); choose another folder with --data.") from error
        known = _known(self.file)
        if known.get(self.name) != self._kept():
            write_privately(self.file, json.dumps({**known, self.name: self._kept()}, indent=1))

    def forget(self) -> None:
        """Begins a conversation of somebody new."""
        self.token, self.after = None, 0

    def _kept(self) -> dict[str, Any]:
        return {"token": self.token, "after": self.after}


def visitor(place: Place, account: str) -> Visitor:
    """Who we were here the last time. A token is shown to the API that gave it only; on this machine its port may change."""
    name = account if place.near else f"{account} at {urlsplit(place.api).netloc}"
    found = Visitor(place.data / "chats.json", name)
    with suppress(KeyError, TypeError, ValueError):
        kept = _known(found.file)[name]
        found.token, found.after = kept["token"], int(kept["after"])
    return found


def _known(file: Path) -> Mapping[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except PermissionError as error:
        raise StartFailed(f"{file} belongs to another user; choose another folder with --data.") from error
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
