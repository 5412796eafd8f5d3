"""Cursors of lists that go by time: opaque to those who follow them, harmless when they are made up."""

import base64
import binascii
import json
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from domain.errors import Invalid

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Place = tuple[datetime, str]
CursorHere = Annotated[str | None, Query(alias="cursor", max_length=4096)]
LimitHere = Annotated[int, Query(alias="limit", ge=1, le=200)]


def cursor_of(at: datetime, id_: str) -> str:
    """The cursor behind something that has this time and id."""
    micros = (at - EPOCH) // timedelta(microseconds=1)
    return base64.urlsafe_b64encode(json.dumps([micros, id_], ensure_ascii=False).encode()).decode().rstrip("=")


def place_of(cursor: str | None) -> Place | None:
    """The time and id of a cursor, None for the start. Raises Invalid."""
    if cursor is None:
        return None
    try:
        micros, id_ = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return EPOCH + timedelta(microseconds=int(micros)), str(id_)
    except (ValueError, TypeError, OverflowError, binascii.Error, RecursionError) as error:
        raise Invalid("This cursor is not one of ours.", field="cursor") from error
