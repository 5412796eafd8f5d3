"""What a process of Switchboard is made of, as values; wiring makes them."""

from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.client import Client

from channels import Channel
from inbox import Inbox, Pokes
from settings import Settings
from store.notices import Notices
from store.pool import Database
from store.seal import Seal


@dataclass(frozen=True)
class Parts:
    """Everything a process is made of, open and ready."""

    settings: Settings
    db: Database
    temporal: Client
    notices: Notices
    pokes: Pokes
    inbox: Inbox
    seal: Seal
    channels: Mapping[str, Channel]
