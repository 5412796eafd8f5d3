"""What an agent's `model` may say, and where that leads: a provider, a model's name, an address and a key."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

from pydantic import SecretStr

from domain.errors import ModelRefused

Provider = Literal["anthropic", "openai", "openai-compatible"]

DEFAULT_ADDRESS: Mapping[Provider, str] = {"anthropic": "https://api.anthropic.com", "openai": "https://api.openai.com/v1"}
VARIABLE: Mapping[Provider, str] = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}

_FORM = "Write anthropic:NAME, openai:NAME or openai-compatible:NAME@https://host/v1."
_WITH_ADDRESS = re.compile(r"(?P<name>.+?)@(?P<address>https?://\S+)", re.IGNORECASE)


@dataclass(frozen=True)
class Target:
    """Where one model request goes."""

    provider: Provider
    name: str
    address: str
    key: SecretStr


def target(model: str, keys: Mapping[str, SecretStr], addresses: Mapping[str, str]) -> Target:
    """Where the model written as `model` is found; `keys` and `addresses` are the operator's, by provider.

    A key is sent only to the provider it is for: an address that a member wrote into an agent gets the key kept under exactly that
    address, or none. Raises ModelRefused with a sentence that says how to write it.
    """
    provider, _, name = model.strip().partition(":")
    if provider not in get_args(Provider) or not name.strip():
        raise ModelRefused(f"The agent's model is not one I can use: “{model[:100]}”. {_FORM}")
    return _known(cast(Provider, provider), name.strip(), keys, addresses)


def _known(provider: Provider, name: str, keys: Mapping[str, SecretStr], addresses: Mapping[str, str]) -> Target:
    written = _WITH_ADDRESS.fullmatch(name) if provider == "openai-compatible" else None
    address = (written["address"] if written else addresses.get(provider) or DEFAULT_ADDRESS.get(provider, "")).rstrip("/")
    if not address:
        raise ModelRefused(f"The agent's model has no address. {_FORM}")
    _check_address(address)
    ours = written is None or address == addresses.get(provider, "").rstrip("/")
    key = keys.get(address) or (keys.get(provider) if ours else None) or SecretStr("")
    if provider in VARIABLE and not key.get_secret_value():
        raise ModelRefused(f"There is no key for this model provider. Set {VARIABLE[provider]}.")
    return Target(provider, written["name"] if written else name, address, key)


def _check_address(address: str) -> None:
    """Refuse an address that is none, or that carries a user, a password or a query, where secrets like to hide."""
    try:
        parts = urlsplit(address)
        sound = parts.hostname and (parts.port is None or parts.port > 0) and not ("@" in parts.netloc or parts.query or parts.fragment)
    except ValueError:
        sound = False
    if not sound:
        raise ModelRefused(f"The agent's model has an address that cannot be used. {_FORM}")
