"""What a model request can come to: an answer, or one of these sentences. None of them holds a key or what anybody wrote."""

from dataclasses import dataclass

from agents import Call, Say, Usage
from domain.errors import ModelRefused


@dataclass(frozen=True)
class Answer:
    """What a model said; `step` is None where nothing in it could be used."""

    step: Say | Call | None
    usage: Usage


class TooLong(ModelRefused):
    """The conversation is too long for this model, even shortened. Use a model with a larger window, or start a new conversation."""
