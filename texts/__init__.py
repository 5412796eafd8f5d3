"""Every sentence a person reads in a chat, by key and language (Project Fluent)."""

from functools import cache
from pathlib import Path
from typing import Any

from fluent.runtime import FluentLocalization, FluentResourceLoader

FOLDER = Path(__file__).parent


@cache
def _language(name: str) -> FluentLocalization:
    return FluentLocalization([name, "en"], ["chat.ftl"], FluentResourceLoader(str(FOLDER / "{locale}")), use_isolating=False)


def text(key: str, language: str = "en", **values: Any) -> str:
    """The sentence of a key in a language, in English where it has none. Raises KeyError for a key that does not exist."""
    found: str = _language(language).format_value(key, values)
    if found == key:
        raise KeyError(key)
    return found
