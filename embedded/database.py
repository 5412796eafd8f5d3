"""The Postgres of a data folder that `up` does not serve at the moment."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from embedded.folder import opened
from embedded.postgres import Postgres


@contextmanager
def started_over(data: Path) -> Iterator[str]:
    """The owner's address of the Postgres over a folder, which runs until the block ends. Raises StartFailed where the folder is in use."""
    with opened(data) as folder:
        folder.end_leftovers()
        server = Postgres(folder.postgres, folder.keys.owner_password, log=folder.log("postgres"))
        server.start()
        try:
            yield server.owner_url
        finally:
            server.stop()
