"""Sessions that programs start over HTTP: a message is delivered by being stored, and read from there."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from channels import AccountSeen, Outgoing
from domain.errors import SendRefused
from domain.messages import Receipt


class Settings(BaseModel):
    """What such an account needs: nothing. The first session that is started makes it."""

    model_config = ConfigDict(extra="forbid")


class Api:
    """The API itself as a channel."""

    name: ClassVar[str] = "api"
    title: ClassVar[str] = "Sessions started over the API"
    settings: ClassVar[type[BaseModel]] = Settings
    secrets: ClassVar[type[BaseModel]] = Settings
    commit_delivers: ClassVar[bool] = True
    streams: ClassVar[bool] = False
    chunk: ClassVar[int] = 16_000
    debounce: ClassVar[float] = 0.0

    def recognises_repeats(self, account: AccountSeen) -> bool:
        """A stored message has one id."""
        return True

    async def send(self, account: AccountSeen, outgoing: Outgoing) -> Receipt:
        """Never called for a stored message; there is no wire."""
        raise SendRefused
