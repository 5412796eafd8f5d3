"""One request to a language model through pydantic-ai's direct API. Imported at the first request only: it takes seconds."""

import logging
from contextlib import suppress
from typing import Any

import structlog
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import ModelResponse, PartDeltaEvent, PartStartEvent, TextPart, TextPartDelta
from pydantic_ai.models import Model as AnyModel
from pydantic_ai.models import ModelRequestParameters, create_async_httpx2_client
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.profiles.openai import OpenAIModelProfile
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from agents import Call, Look, Reply, Say, Stream, ToolSpec, Usage
from agents.model_errors import FILTERED, translated
from agents.model_messages import messages
from agents.model_names import Target
from agents.model_refusals import Answer
from agents.storable import clean_text, storable
from domain.errors import ModelRefused, ModelUnavailable

log = structlog.get_logger(__name__)

for _chatty in ("anthropic", "openai", "httpx2", "httpcore2"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)  # below that they log requests whole, prompts included


class Client:
    """Sends requests, over one pool of connections. `within` is the longest time of one request in seconds."""

    def __init__(self, within: float) -> None:
        self._http = create_async_httpx2_client()
        self._within = within

    async def ask(self, where: Target, look: Look, stream: Stream) -> Answer:
        """Ask once and stream the text as it comes. Raises ModelUnavailable, ModelRefused, or TooLong, which is one."""
        try:
            said = await self._said(where, look, stream)
            return _understood(said)
        except (ModelRefused, ModelUnavailable):
            raise
        except Exception as error:
            failed = translated(error, where)
            log.warning("model_request_failed", provider=where.provider, error=type(error).__name__, code=failed.code)
        raise failed  # out here, so that the provider's error with its texts does not travel along as the cause

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _said(self, where: Target, look: Look, stream: Stream) -> ModelResponse:
        parameters = ModelRequestParameters(function_tools=[_definition(spec) for spec in look.tools])
        settings = ModelSettings(timeout=self._within, request_timeout=self._within, max_retries=0)
        if where.provider != "openai-compatible":
            settings["parallel_tool_calls"] = False
        if where.provider == "anthropic":
            settings["cache"] = {"messages": False}  # tools and instructions are the same in all conversations of an agent
        request = model_request_stream(
            self._model(where), messages(look), model_settings=settings, model_request_parameters=parameters, instrument=False
        )
        async with request as events:
            text = ""
            async for event in events:
                if more := _text_of(event):
                    text += more
                    stream = await _streamed(text, stream)
            return events.get()

    def _model(self, where: Target) -> AnyModel:
        key = where.key.get_secret_value()
        match where.provider:
            case "anthropic":
                return AnthropicModel(where.name, provider=AnthropicProvider(api_key=key, base_url=where.address, http_client=self._http))
            case "openai":
                whole = OpenAIModelProfile(openai_chat_streaming_requires_finish_reason=True)
                provider = OpenAIProvider(api_key=key, base_url=where.address, http_client=self._http)
                return OpenAIChatModel(where.name, provider=provider, profile=whole)
            case "openai-compatible":
                other = OpenAICompatibleProvider("openai-compatible", base_url=where.address, api_key=key or None, http_client=self._http)
                return OpenAIChatModel(where.name, provider=other)


def _definition(spec: ToolSpec) -> ToolDefinition:
    return ToolDefinition(name=spec.name, description=spec.description, parameters_json_schema=dict(spec.parameters), strict=False)


async def _streamed(text: str, stream: Stream) -> Stream:
    """Show the text so far. A reader that fails is not worth a paid answer, so nothing more is shown to it."""
    try:
        await stream(text)
    except Exception as error:
        log.warning("stream_failed", error=type(error).__name__)
        return _nobody
    return stream


async def _nobody(text: str) -> None:
    """A stream that nobody reads."""


def _text_of(event: Any) -> str:
    match event:
        case PartStartEvent(part=TextPart(content=text)):
            return text
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)):
            return text
        case _:
            return ""


def _understood(said: ModelResponse) -> Answer:
    """The first tool call, or else the text. Raises ModelRefused when it was filtered, ModelUnavailable when it broke off."""
    usage = _usage(said)
    log.info("model_request", model=usage.model, tokens_in=usage.tokens_in, tokens_out=usage.tokens_out, cost_usd=usage.cost_usd)
    if said.finish_reason == "content_filter":
        raise ModelRefused(FILTERED)
    if said.finish_reason is None and not (said.provider_details or {}).get("finish_reason"):
        raise ModelUnavailable("The model provider's answer broke off. It is tried again.")
    if said.tool_calls:
        with suppress(ValueError, TypeError, AssertionError):
            first = said.tool_calls[0]
            return Answer(Call(tool=clean_text(first.tool_name), arguments=storable(first.args_as_dict(raise_if_invalid=True))), usage)
        return Answer(None, usage)
    text = clean_text("".join(part.content for part in said.parts if isinstance(part, TextPart))).strip()
    return Answer(Say(replies=(Reply(text=text),)) if text else None, usage)


def _usage(said: ModelResponse) -> Usage:
    """Tokens, and the price where it is known; the price list is the one installed, so this needs no network."""
    cost = None
    with suppress(LookupError, ValueError, AssertionError):
        cost = float(said.cost().total_price)
    used = said.usage
    return Usage(model=said.model_name or "", tokens_in=used.input_tokens, tokens_out=used.output_tokens, cost_usd=cost)
