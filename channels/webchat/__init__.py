"""Web chat: our own channel. A message is delivered by being stored; sockets read it from there."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from channels import AccountSeen, Outgoing
from domain.errors import SendRefused
from domain.messages import Receipt


class Settings(BaseModel):
    """What a web chat account needs: nothing."""

    model_config = ConfigDict(extra="forbid")


class WebChat:
    """The chat page and its socket."""

    name: ClassVar[str] = "webchat"
    title: ClassVar[str] = "Web chat"
    settings: ClassVar[type[BaseModel]] = Settings
    secrets: ClassVar[type[BaseModel]] = Settings
    commit_delivers: ClassVar[bool] = True
    streams: ClassVar[bool] = True
    chunk: ClassVar[int] = 16_000
    debounce: ClassVar[float] = 0.0

    def recognises_repeats(self, account: AccountSeen) -> bool:
        """A stored message has one id."""
        return True

    async def send(self, account: AccountSeen, outgoing: Outgoing) -> Receipt:
        """Never called for a stored message; a web chat has no wire of its own."""
        raise SendRefused
