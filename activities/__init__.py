"""What touches the world: one class per noun, its parts injected; each method is an activity that workflows know by name."""

from typing import Protocol


class Pokes(Protocol):
    """Wakes workflows; raises when Temporal is away, which the next sweep mends."""

    async def session(self, tenant: str, session: str) -> None: ...
    async def routing(self, tenant: str, conversation: str) -> None: ...
    async def approval(self, tenant: str, approval: str) -> None: ...

    async def home(self) -> str | None:
        """Which Temporal they are in, where it says."""


class Wakes(Protocol):
    """Wakes without anybody waiting for it: a `session`, a `routing`, or nobody (None)."""

    def wake(self, tenant: str, what: str | None, id_: str | None) -> None: ...
