"""Idempotency-Key: the same request sent again is answered as the first time."""

from fastapi.routing import APIRoute


class Idempotent(APIRoute):
    """A route whose POSTs honour Idempotency-Key."""
