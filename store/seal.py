"""Sealing of secrets: what is stored can be opened only with keys that the database does not have."""

import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from domain.errors import StartFailed


class Seal:
    """Seals with the newest key and opens with any. `keys` is newest first. Raises StartFailed for none or a malformed one."""

    def __init__(self, keys: list[str]) -> None:
        try:
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise StartFailed("SWITCHBOARD_SEALING_KEYS holds no usable Fernet key; restore the keys this data was sealed with.") from error

    def close(self, secrets: Mapping[str, str]) -> bytes:
        """Secrets as they are stored."""
        return self._fernet.encrypt(json.dumps(dict(secrets)).encode())

    def open(self, sealed: bytes | None) -> dict[str, str]:
        """The secrets again; none for None. Raises StartFailed when no key fits."""
        if sealed is None:
            return {}
        try:
            opened: dict[str, str] = json.loads(self._fernet.decrypt(sealed))
        except InvalidToken as error:
            raise StartFailed("A secret was sealed with another key; restore the keys this data was sealed with.") from error
        return opened

    @staticmethod
    def shown(secrets: Mapping[str, str]) -> dict[str, str]:
        """What people see of secrets: the last four characters, and none of a secret so short that they would give it away."""
        return {name: f"…{value[-4:]}" if len(value) >= 8 else "…" for name, value in secrets.items()}
