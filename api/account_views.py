"""Accounts as they are asked for and shown: settings and secrets checked by their channel, secrets sealed."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from api.values import Seconds
from channels import Channel, ReceivesWebhooks
from domain.errors import Invalid, NotFound
from parts import Parts
from store.accounts import AccountRow, Given, State

Admission = Literal["open", "ask", "code", "closed"]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Identity = Annotated[str, Field(min_length=1, max_length=512)]


class NewAccount(BaseModel):
    """A login of ours on a channel. `settings` and `secrets` are what GET /v1/channels says the channel needs; `debounce` is in seconds."""

    model_config = ConfigDict(extra="forbid")

    channel: str = Field(max_length=100)
    name: Name
    admission: Admission = "ask"
    debounce: Seconds | None = Field(default=None, ge=0, le=60)
    owner_identities: list[Identity] = Field(default_factory=list, max_length=100)
    settings: dict[str, Any] = Field(default_factory=dict)
    secrets: dict[str, Any] = Field(default_factory=dict)


class AccountChange(BaseModel):
    """What changes; settings and secrets are replaced as a whole."""

    model_config = ConfigDict(extra="forbid")

    name: Name | None = None
    admission: Admission | None = None
    debounce: Seconds | None = Field(default=None, ge=0, le=60)
    owner_identities: list[Identity] | None = Field(default=None, max_length=100)
    settings: dict[str, Any] | None = None
    secrets: dict[str, Any] | None = None


class AccountView(BaseModel):
    """An account. Of secrets only the last four characters are shown; `webhook_url` is what the channel calls, `chat_url` where people write."""

    id: str
    channel: str
    name: str
    state: State
    admission: Admission
    debounce: float
    owner_identities: list[str]
    settings: dict[str, Any]
    secrets: dict[str, str]
    created_at: datetime
    webhook_url: str | None
    chat_url: str | None


class AccountList(BaseModel):
    """A page of accounts."""

    items: list[AccountView]
    next: str | None


def view(parts: Parts, row: AccountRow | None) -> AccountView:
    """A row as people see it. Raises NotFound for none."""
    if row is None:
        raise NotFound
    channel, url = parts.channels.get(row.channel), parts.settings.public_url.rstrip("/")
    return AccountView(
        **row.model_dump(exclude={"sealed", "secrets_shown"}),
        secrets=dict(row.secrets_shown),
        webhook_url=f"{url}/webhooks/{row.channel}/{row.id}" if isinstance(channel, ReceivesWebhooks) else None,
        chat_url=f"{url}/chat/{row.id}" if row.channel == "webchat" else None,
    )


def made(parts: Parts, asked: NewAccount) -> Given:
    """What a new account is stored with; channels that need no linking are connected at once. Raises Invalid with the field named."""
    channel = _channel(parts, asked.channel)
    plain = asked.model_dump(include={"name", "admission", "owner_identities"})
    debounce = channel.debounce if asked.debounce is None else asked.debounce
    return Given(**plain, **_checked(parts, channel, asked.settings, asked.secrets), state="connected", debounce=debounce)


def changed(parts: Parts, channel: str, asked: AccountChange) -> Given:
    """What an account is changed with. Raises Invalid with the field named."""
    plain = asked.model_dump(include={"name", "admission", "debounce", "owner_identities"})
    return Given(**plain, **_checked(parts, _channel(parts, channel), asked.settings, asked.secrets))


def _channel(parts: Parts, name: str) -> Channel:
    channel = parts.channels.get(name)
    if channel is None:
        raise Invalid(f"There is no such channel; there are {', '.join(sorted(parts.channels))}.", field="channel")
    return channel


def _checked(parts: Parts, channel: Channel, settings: Mapping[str, Any] | None, secrets: Mapping[str, Any] | None) -> dict[str, Any]:
    given: dict[str, Any] = {}
    if settings is not None:
        given["settings"] = _fits(channel.settings, settings, "settings").model_dump(mode="json")
    if secrets is not None:
        plain = {name: str(value) for name, value in _fits(channel.secrets, secrets, "secrets").model_dump(mode="json").items() if value is not None}
        given |= {"sealed": parts.seal.close(plain) if plain else None, "secrets_shown": parts.seal.shown(plain)}
    return given


def _fits(model: type[BaseModel], values: Mapping[str, Any], where: str) -> BaseModel:
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join([where, *(str(part) for part in first["loc"])])
        raise Invalid(f"{field}: {first['msg']}", field=field) from error
