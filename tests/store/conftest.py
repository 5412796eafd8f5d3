"""Databases of their own, beside the one that all tests share."""

import secrets
from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg import sql

from embedded.postgres import Postgres


@pytest.fixture(scope="session")
def empty_database(postgres: Postgres) -> Iterator[Callable[[], str]]:
    """Makes a database without anything in it and returns its owner's address; they are dropped at the end."""
    made: list[str] = []

    def make() -> str:
        name = f"t_{secrets.token_hex(6)}"
        with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
            connection.execute(sql.SQL("create database {}").format(sql.Identifier(name)))
        made.append(name)
        return postgres.owner_url.rpartition("/")[0] + "/" + name

    yield make
    with psycopg.connect(postgres.owner_url, autocommit=True) as connection:
        for name in made:
            connection.execute(sql.SQL("drop database if exists {}").format(sql.Identifier(name)))
