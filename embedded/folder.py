"""The folder that everything lives in: databases, keys, logs, and which programs run over it."""

import base64
import contextlib
import fcntl
import json
import os
import secrets
import signal
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from domain.errors import StartFailed
from embedded.children import Child
from embedded.identity import runs


@dataclass(frozen=True)
class Known:
    """A program that was started here."""

    name: str
    pid: int
    identity: str

    @property
    def runs(self) -> bool:
        """Whether it still does, and no other program has its pid."""
        return runs(self.pid, self.identity)

    def end(self, number: signal.Signals) -> None:
        """Sends the signal to it and to what it started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) == self.pid:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)


@dataclass(frozen=True)
class Keys:
    """What only this folder knows: what seals and signs, and the passwords of the database roles."""

    sealing_keys: str
    signing_key: str
    owner_password: str
    app_password: str

    @classmethod
    def fresh(cls) -> "Keys":
        """New ones."""
        fernet = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode("ascii")
        return cls(fernet, secrets.token_urlsafe(32), secrets.token_urlsafe(24), secrets.token_urlsafe(24))


class DataFolder:
    """One folder in use by us alone. Made by `opened`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.postgres = path / "postgres"
        self.temporal = path / "temporal.db"
        self.admin_token_file = path / "admin_token"
        self._children = path / "children.json"
        self.keys = self._read_keys()
        self.admin_token = self._read_admin_token()

    def log(self, name: str) -> Path:
        """The log file of a part."""
        return self.path / "logs" / f"{name.lower()}.log"

    def logs(self) -> Iterable[Path]:
        """Every log file there is."""
        return (self.path / "logs").glob("*.log")

    def note(self, line: str) -> None:
        """Writes down something that happened to the parts; on a full disk it is not written down, and nothing else comes of that."""
        with contextlib.suppress(OSError), self.log("up").open("a", encoding="utf-8") as log:
            log.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {line}\n")

    def takes_request(self, name: str) -> bool:
        """Whether a program of ours asked for this, by a file of that name; asked for once, it is taken once."""
        try:
            (self.path / name).unlink()
        except OSError:
            return False
        return True

    def record(self, children: Iterable[Child]) -> None:
        """Writes down which programs are ours, so that a later start knows them for certain."""
        known = [Known(child.name, child.pid, child.identity) for child in children if child.alive]
        write_privately(self._children, json.dumps([asdict(one) for one in known], indent=1))

    def end_leftovers(self) -> list[str]:
        """Ends programs of ours that outlived a killed start, and returns their names. Raises StartFailed when one does not end."""
        known = [one for one in self._known() if one.runs]
        for one in known:
            one.end(signal.SIGQUIT if one.name == "Postgres" else signal.SIGKILL)
        ends = time.monotonic() + 5
        while left := [one for one in known if one.runs]:
            if time.monotonic() > ends + 3:
                raise StartFailed(f"{left[0].name} (pid {left[0].pid}) of an earlier start does not end; end it, then start again.")
            if time.monotonic() > ends:
                left[0].end(signal.SIGKILL)
            time.sleep(0.02)
        return [one.name for one in known]

    def _known(self) -> list[Known]:
        try:
            return [Known(str(one["name"]), int(one["pid"]), str(one["identity"])) for one in json.loads(self._children.read_text("utf-8"))]
        except (OSError, ValueError, TypeError, KeyError):
            return []

    def _read_keys(self) -> Keys:
        file = self.path / "keys.json"
        if not file.exists():
            if self.postgres.exists():
                raise StartFailed(f"{file} is missing, and the data beside it cannot be opened without; put it back, or choose another --data.")
            keys = Keys.fresh()
            write_privately(file, json.dumps(asdict(keys), indent=1))
            return keys
        try:
            file.chmod(0o600)
            keys = Keys(**json.loads(file.read_text("utf-8")))
        except PermissionError as error:
            raise StartFailed(f"{file} belongs to another user; start as that user, or choose another folder with --data.") from error
        except (OSError, ValueError, TypeError) as error:
            raise StartFailed(f"{file} cannot be read as keys; restore it from a backup, or choose another folder with --data.") from error
        if not all(isinstance(value, str) and value for value in asdict(keys).values()):
            raise StartFailed(f"{file} lacks a key; restore it from a backup, or choose another folder with --data.")
        return keys

    def _read_admin_token(self) -> str:
        file = self.admin_token_file
        try:
            token = file.read_text("ascii").strip()
            file.chmod(0o600)
        except FileNotFoundError:
            token = ""
        except (OSError, ValueError) as error:
            raise StartFailed(f"{file} cannot be read; remove it to get a new token, or choose another folder with --data.") from error
        if not token:
            token = f"sb_{secrets.token_urlsafe(32)}"
            write_privately(file, token + "\n")
        return token


@contextlib.contextmanager
def opened(path: Path) -> Iterator[DataFolder]:
    """The folder, made where it is missing and locked until the block ends.

    Raises StartFailed when it cannot be used, or when another start uses it.
    """
    path = path.expanduser().absolute()
    _make(path)
    with _locked(path):
        yield DataFolder(path)


def _make(path: Path) -> None:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if path.stat().st_uid == os.geteuid():
            path.chmod(0o700)
        (path / "logs").mkdir(mode=0o700, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise StartFailed(f"{error.filename} is a file where a folder should be; move it, or choose another folder with --data.") from error
    except OSError as error:
        raise StartFailed(f"{path} cannot be used ({error.strerror}); choose another folder with --data.") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise StartFailed(f"{path} cannot be written by this user; start as its owner, or choose another folder with --data.")
    keys = path / "keys.json"
    if os.geteuid() == 0 and keys.exists() and stat.S_ISREG(keys.stat().st_mode) and keys.stat().st_uid != 0:
        raise StartFailed(f"{path} belongs to user {keys.stat().st_uid}, not to root; start as that user, or choose another --data.")


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[IO[str]]:
    try:
        lock = (path / "lock").open("a+", encoding="ascii")
    except OSError as error:
        raise StartFailed(f"{path / 'lock'} cannot be opened ({error.strerror}); choose another folder with --data.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise StartFailed(
                f"Switchboard already runs on {path} (pid {lock.read().strip() or 'unknown'}); stop it, or choose another folder with --data."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock
        lock.truncate(0)


def write_privately(file: Path, text: str) -> None:
    """Replaces a file in one moment; nobody but us may read it. Raises StartFailed."""
    beside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        beside.unlink(missing_ok=True)
        with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(file)
    except OSError as error:
        raise StartFailed(f"{file} cannot be written ({error.strerror}).") from error
