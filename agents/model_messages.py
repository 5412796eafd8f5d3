"""Builds the messages of a model request from a look. Only the first part of the first message is the system's."""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from pydantic_ai.messages import (
    ModelMessage,
    ModelRequest,
    ModelResponse,
    SystemPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)

from agents import Called, Look, Said
from agents.prompt import fact, heard_in_words, quoted, result_in_words, surroundings, system_prompt


def messages(look: Look) -> list[ModelMessage]:
    """System prompt, transcript, batch, and the turn's calls with their results; user and assistant take turns throughout."""
    spoken: list[ModelMessage] = []
    for user, lines in groupby(_lines(look), key=itemgetter(0)):
        text = "\n\n".join(line for _, line in lines)
        spoken.append(ModelRequest([UserPromptPart(text)]) if user else ModelResponse([TextPart(text)]))
    first, *others = spoken
    opening = ModelRequest([SystemPromptPart(system_prompt(look)), *(first.parts if isinstance(first, ModelRequest) else [])])
    return [opening, *others, *(message for called in look.calls for message in _call(called))]


def _lines(look: Look) -> Iterator[tuple[bool, str]]:
    """Each line with whether it is user content; the first always is, as providers demand."""
    transcript = [said for said in look.transcript if said.text.strip()]
    if transcript and transcript[0].speaker == "agent":
        yield True, fact("earlier messages are left out here")
    for said in transcript:
        yield said.speaker != "agent", _said(said)
    yield True, "\n\n".join(part for part in (surroundings(look), heard_in_words(look.batch)) if part)


def _said(said: Said) -> str:
    return fact(said.text) if said.speaker == "system" else quoted(said.text)


def _call(called: Called) -> Iterator[ModelMessage]:
    """A call made earlier this turn, as the model's words and their answer."""
    yield ModelResponse([ToolCallPart(called.tool, dict(called.arguments), tool_call_id=called.call_id)])
    yield ModelRequest([ToolReturnPart(called.tool, result_in_words(called), tool_call_id=called.call_id)])
