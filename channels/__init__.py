"""The contract of a channel and its optional capabilities. One folder a channel; third parties add one by the entry point group
`switchboard.channels`; ours are registered the same way."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol, runtime_checkable

from pydantic import BaseModel

from domain.messages import Inbound, Receipt


class Outgoing(BaseModel):
    """One message on the wire. `message_id` is the client id where the channel takes one; `label` says that it may be a repetition."""

    message_id: str
    chat: str
    thread: str
    text: str
    label: str = ""


class AccountSeen(BaseModel):
    """Our login on a channel as an adapter sees it: plain settings and opened secrets."""

    tenant_id: str
    id: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]


class Channel(Protocol):
    """A network that people write in.

    `settings` and `secrets` are the models of what an account of it needs. `commit_delivers` is true where storing a message is
    delivering it (web chat reads from the store). `streams` is true where a reply can be shown while it grows.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    settings: ClassVar[type[BaseModel]]
    secrets: ClassVar[type[BaseModel]]
    commit_delivers: ClassVar[bool]
    streams: ClassVar[bool]
    chunk: ClassVar[int]
    """The most characters one message may hold."""
    debounce: ClassVar[float]
    """Seconds a message waits for others behind it, unless the account says otherwise."""

    def recognises_repeats(self, account: AccountSeen) -> bool:
        """Whether a repeated `message_id` is shown once only, so that a broken send may simply be repeated."""
        ...

    async def send(self, account: AccountSeen, outgoing: Outgoing) -> Receipt:
        """Puts a message on the wire. Raises SendRefused (final), SendFailed (not taken) or SendUncertain (may have been taken)."""
        ...


@runtime_checkable
class ReceivesWebhooks(Protocol):
    """A channel that calls us."""

    def receive(self, account: AccountSeen, headers: Mapping[str, str], body: bytes) -> Sequence[Inbound]:
        """The messages of a call, its signature checked first; none for an event of an unknown kind. Raises BadSignature or Invalid."""
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A channel that can be asked whether it has a message."""

    async def find(self, account: AccountSeen, outgoing: Outgoing) -> Receipt | None:
        """The receipt of a message that may have been sent; None when the channel says it does not have it."""
        ...
