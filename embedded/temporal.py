"""Temporal from its wheel: the real server with its web UI, over one SQLite file."""

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from domain.errors import StartFailed
from embedded.children import Child
from embedded.ports import free_port

SEARCH_ATTRIBUTES = ("SbTenant", "SbKind", "SbState", "SbChannel")
DYNAMIC = {
    "history.transferProcessorMaxPollRPS": "10000",  # 20 by default: up to 50 ms before every dispatch
    "history.timerProcessorMaxTimeShift": '"20ms"',  # 1 s by default: no timer could be shorter
    "matching.enableFairness": "true",
}
PRAGMAS = ("journal_mode=wal", "synchronous=full")


class Temporal(Child):
    """One Temporal server on 127.0.0.1 with the namespace `default`. `extra` are further dynamic settings, values in JSON."""

    name = "Temporal"

    def __init__(self, file: Path, *, port: int = 0, ui_port: int = 0, log: Path | None = None, extra: Mapping[str, str] | None = None) -> None:
        super().__init__(log)
        self.file = file.absolute()
        self.port, self.ui_port, self._http_port = port or free_port(), ui_port or free_port(), free_port()
        self._dynamic = DYNAMIC | dict(extra or {})

    @property
    def address(self) -> str:
        """Host and port for clients and workers."""
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str:
        """Where a browser sees its web UI."""
        return f"http://127.0.0.1:{self.ui_port}"

    def folder(self) -> Path:
        """The file's folder: the file is named without a path, since signs in a path could read as part of its address."""
        return self.file.parent

    def command(self) -> Sequence[str]:
        """The server with what was measured to be right for one small machine."""
        ports = {"--port": self.port, "--ui-port": self.ui_port, "--http-port": self._http_port}
        return [
            str(program()), "server", "start-dev", "--ip", "127.0.0.1", "--db-filename", self.file.name, "--log-level", "warn",
            "--ui-disable-news-fetch", "--disable-config-file", "--disable-config-env",
            *(word for option, port in ports.items() for word in (option, str(port))),
            *(word for pragma in PRAGMAS for word in ("--sqlite-pragma", pragma)),
            *(word for name in SEARCH_ATTRIBUTES for word in ("--search-attribute", f"{name}=Keyword")),
            *(word for name, value in self._dynamic.items() for word in ("--dynamic-config-value", f"{name}={value}")),
        ]  # fmt: skip

    def environment(self) -> Mapping[str, str]:
        """Ours without Temporal's own variables, which are for clients; memory is given back early."""
        return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")} | {"GOMEMLIMIT": "192MiB"}

    def answers(self) -> bool:
        """Whether the namespace can be used."""
        return self.alive and answers_200("127.0.0.1", self._http_port, "/api/v1/namespaces/default")


def program() -> Path:
    """Temporal's executable beside the running Python. Raises StartFailed when it is missing."""
    found = Path(sys.executable).parent / "temporal"
    if not found.exists():
        raise StartFailed("Temporal is missing from .venv; remove the folder .venv and start again.")
    return found


def answers_200(host: str, port: int, path: str) -> bool:
    """Whether a GET of this path is answered with 200 within two seconds."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
