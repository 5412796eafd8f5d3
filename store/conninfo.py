"""Postgres addresses as they are given from outside, checked before anything is done with them."""

import psycopg
from psycopg.conninfo import conninfo_to_dict

from domain.errors import StartFailed


def fields(address: str, variable: str) -> dict[str, str]:
    """What an address names: user, password, host and so on. Raises StartFailed, which names the variable: the address may hold a password."""
    try:
        return {name: str(value) for name, value in conninfo_to_dict(address).items() if value is not None}
    except psycopg.ProgrammingError:
        raise StartFailed(f"{variable} is no address such as postgresql://user:password@host/database; correct it, or unset it.") from None
