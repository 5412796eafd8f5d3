"""The model backend: one step is one request to a language model, streamed.

The client library is large, so it is loaded at the first request: a worker whose agents are all scripted never pays for it.
"""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import SecretStr

from agents import Look, Stream, Thought, Usage
from agents.model_names import Target, target
from agents.model_refusals import Answer, TooLong
from domain.errors import ModelUnavailable

if TYPE_CHECKING:
    from agents.model_request import Client


class Model:
    """Asks Anthropic, OpenAI, or anything with OpenAI's chat completions API.

    `keys` and `base_urls` are by provider: anthropic, openai, openai-compatible; a key may also stand under the exact address it is
    for. `within` is the longest time of one step in seconds. Nothing is retried here that Temporal would retry.
    """

    name = "model"

    def __init__(self, *, keys: Mapping[str, SecretStr] | None = None, base_urls: Mapping[str, str] | None = None, within: float = 240.0) -> None:
        self._keys = dict(keys or {})
        self._base_urls = dict(base_urls or {})
        self._within = within
        self._client: Client | None = None
        self._loading = asyncio.Lock()

    async def think(self, look: Look, stream: Stream) -> Thought:
        """Ask the model once; a second time where the transcript was too long for it or nothing usable came back.

        Raises ModelUnavailable when another try may help (with `retry_after` where the provider named it), ModelRefused when not.
        """
        where = target(look.model, self._keys, self._base_urls)
        client = await self._loaded()
        try:
            async with asyncio.timeout(self._within):
                return await _thought(client, where, look, stream)
        except TimeoutError:
            late = ModelUnavailable("The model provider took too long to answer. It is tried again.")
        raise late

    async def close(self) -> None:
        """Close the connections to the providers."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _loaded(self) -> "Client":
        async with self._loading:
            if self._client is None:
                self._client = await asyncio.to_thread(_load, self._within)
            return self._client


async def _thought(client: "Client", where: Target, look: Look, stream: Stream) -> Thought:
    """The step, from the first usable of two answers."""
    spent: list[Usage] = []
    for _ in range(2):
        answer = await _asked(client, where, look, stream)
        spent.append(answer.usage)
        if answer.step is not None:
            return Thought(step=answer.step, usage=_sum(spent))
    raise ModelUnavailable("The model gave no usable answer, twice in a row. It is tried again.")


async def _asked(client: "Client", where: Target, look: Look, stream: Stream) -> Answer:
    """One answer; while the provider says that it is too long, the older half of the transcript is left out."""
    while True:
        try:
            return await client.ask(where, look, stream)
        except TooLong:
            if not look.transcript:
                raise
        look = look.model_copy(update={"transcript": look.transcript[(len(look.transcript) + 1) // 2 :]})


def _load(within: float) -> "Client":
    """Import the client library, which takes seconds, and build a client; runs beside the event loop."""
    from agents.model_request import Client  # noqa: PLC0415 - heavy, and not needed by scripted agents

    return Client(within)


def _sum(spent: list[Usage]) -> Usage:
    """What all requests of one step cost together; the cost is unknown as soon as one is."""
    costs = [usage.cost_usd for usage in spent if usage.cost_usd is not None]
    return Usage(
        model=spent[-1].model,
        tokens_in=sum(usage.tokens_in for usage in spent),
        tokens_out=sum(usage.tokens_out for usage in spent),
        cost_usd=sum(costs) if len(costs) == len(spent) else None,
    )
