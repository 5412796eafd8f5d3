"""Values that are taken only as the schema says them: no number is a time, and no word a number."""

from typing import Annotated, Any

from pydantic import AllowInfNan, AwareDatetime, BeforeValidator, Strict


def _is_written_out(given: Any) -> Any:
    if not isinstance(given, str) or "T" not in given.upper():
        raise ValueError("has to be a time as RFC 3339 writes it, such as 2030-01-31T12:00:00Z")
    return given


Moment = Annotated[AwareDatetime, BeforeValidator(_is_written_out, json_schema_input_type=AwareDatetime)]
"""A time with its offset; seconds since an epoch are none."""
Seconds = Annotated[float, Strict(), AllowInfNan(False)]
"""A span as a JSON number, whole or not."""
YesOrNo = Annotated[bool, Strict()]
"""true or false, and no other word for them."""
