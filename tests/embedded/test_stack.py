"""What the parts are told where they are."""

import pytest

from domain.errors import StartFailed
from embedded.stack import as_role


def test_the_apps_connection_is_made_from_the_owners() -> None:
    owner = "postgresql://owner:s%40cret@db.example:5433/main?sslmode=require"
    assert as_role(owner, "switchboard_app", "a/b@c") == "postgresql://switchboard_app:a%2Fb%40c@db.example:5433/main?sslmode=require"


@pytest.mark.parametrize("url", ["db.example", "mysql://owner@db/main", "postgresql:///main"])
def test_an_address_that_is_none_is_named_without_its_password(url: str) -> None:
    with pytest.raises(StartFailed, match=r"^DATABASE_URL is no address"):
        as_role(url, "switchboard_app", "x")


def test_the_apps_own_connection_alone_is_not_enough() -> None:
    with pytest.raises(StartFailed, match="SWITCHBOARD_OWNER_DATABASE_URL"):
        as_role("postgresql://switchboard_app:x@db/main", "switchboard_app", "x")
