"""Free ports, and who holds one that is taken."""

import errno
import random
import socket

import psutil

from domain.errors import StartFailed

# Below the range that systems take outgoing ports from: a client that keeps knocking at a port of that range
# while its server is away can be given that very port, and then talks to itself.
LOWEST, HIGHEST = 20_000, 32_000


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment.

    Raises StartFailed when none is found.
    """
    for _ in range(200):
        port = random.randint(LOWEST, HIGHEST)  # noqa: S311 - any free one will do
        if refusal(host, port) is None:
            return port
    raise StartFailed(f"No free port was found on {host}; close programs that listen, or name ports that are free.")


def refusal(host: str, port: int) -> int | None:
    """The system's error number when the port cannot be listened on, else None."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(1)
        except OSError as error:
            return error.errno
    return None


def require_free(host: str, port: int, option: str) -> None:
    """Raises StartFailed in one sentence, with who has the port where that can be seen, unless it is free."""
    match refusal(host, port):
        case None:
            return
        case errno.EACCES | errno.EPERM:
            raise StartFailed(f"Port {port} may not be used by this user; choose one above 1023 with {option}.")
        case errno.EADDRINUSE:
            raise StartFailed(f"Port {port} is taken by {_holder(port)}; stop it, or choose another with {option} (auto finds a free one).")
        case number:
            raise StartFailed(f"Port {port} cannot be listened on at {host} (error {number}); choose another with {option}.")


def _holder(port: int) -> str:
    try:
        for connection in psutil.net_connections(kind="tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr[1] == port and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.Error, OSError):
        return "another program"
    return "another program, perhaps of another user"


def lan_address() -> str:
    """This machine's address in its own network; loopback when it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
