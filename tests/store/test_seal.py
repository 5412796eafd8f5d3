"""Sealing: what is stored opens with the keys and with nothing else."""

import pytest
from cryptography.fernet import Fernet

from domain.errors import StartFailed
from store.seal import Seal

SECRETS = {"token": "123456:ABCDEFGHIJ", "secret": "wörtlich ✓ \n\0"}


def key() -> str:
    return Fernet.generate_key().decode()


def test_what_is_sealed_opens_again_and_shows_nothing() -> None:
    seal = Seal([key()])
    sealed = seal.close(SECRETS)

    assert seal.open(sealed) == SECRETS
    assert b"ABCDEF" not in sealed
    assert seal.close(SECRETS) != sealed, "the same secrets twice cannot be told to be the same"


def test_nothing_sealed_is_nothing() -> None:
    seal = Seal([key()])

    assert seal.open(None) == {}
    assert seal.open(seal.close({})) == {}


def test_keys_rotate_newest_first() -> None:
    old, new = key(), key()
    sealed = Seal([old]).close(SECRETS)

    assert Seal([new, old]).open(sealed) == SECRETS
    assert Seal([new]).open(Seal([new, old]).close(SECRETS)) == SECRETS


def test_other_keys_do_not_open_it() -> None:
    sealed = Seal([key()]).close(SECRETS)
    for other in (Seal([key()]), Seal([key(), key()])):
        with pytest.raises(StartFailed, match="sealed with another key"):
            other.open(sealed)


def test_what_was_changed_does_not_open() -> None:
    seal = Seal([key()])
    sealed = bytearray(seal.close(SECRETS))
    sealed[len(sealed) // 2] ^= 1
    for broken in (bytes(sealed), b"", b"nothing of ours"):
        with pytest.raises(StartFailed, match="sealed with another key"):
            seal.open(broken)


@pytest.mark.parametrize("keys", [[], [""], ["short"], [key(), "short"], ["✓" * 44]])
def test_without_usable_keys_it_says_so(keys: list[str]) -> None:
    with pytest.raises(StartFailed, match="no usable Fernet key"):
        Seal(keys)


@pytest.mark.parametrize(("secret", "shown"), [("1234567890abcdef", "…cdef"), ("12345678", "…5678"), ("1234567", "…"), ("abc", "…"), ("", "…")])
def test_people_see_the_last_four_characters_of_a_secret_that_is_longer(secret: str, shown: str) -> None:
    """Of a short one nothing: four characters would be too much of it."""
    assert Seal.shown({"token": secret}) == {"token": shown}
