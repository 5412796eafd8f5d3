"""The model backend against a stand-in provider: what goes over the wire, what comes back, and what goes wrong."""

import asyncio
import logging
import socket
import subprocess
import sys
import traceback
from collections.abc import AsyncIterator

import pytest
import structlog
from pydantic import SecretStr

from agents import Call, Reply, Say, ToolSpec, Usage
from agents.model import Model
from agents.process import ROOT
from domain.errors import ModelRefused, ModelUnavailable, SwitchboardError
from tests.agents.looks import called, look, texts, unread
from tests.agents.provider import TOKENS_IN, TOKENS_OUT, Fails, Hangs, Provider, Says, provider

KEY = "sk-very-secret-4711"
PROMPT = "my-private-words-0815"
MODELS = ("anthropic:claude-haiku-4-5", "openai:gpt-5-mini", "openai-compatible:llama3:8b")
REFUND = ToolSpec(name="refund", description="Pay back.", parameters={"type": "object", "properties": {"amount": {"type": "number"}}})

every_model = pytest.mark.parametrize("model", MODELS)


@pytest.fixture
async def stand_in() -> AsyncIterator[Provider]:
    async with provider() as standing:
        yield standing


def build(stand_in: Provider, within: float = 30) -> Model:
    """A backend whose providers are all the stand-in."""
    kinds = ("anthropic", "openai", "openai-compatible")
    return Model(keys={kind: SecretStr(KEY) for kind in kinds}, base_urls={kind: stand_in.address(kind) for kind in kinds}, within=within)


@pytest.fixture
async def backend(stand_in: Provider) -> AsyncIterator[Model]:
    model = build(stand_in)
    yield model
    await model.close()


@every_model
async def test_streams_a_text_as_it_grows(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(("Grüße, ", "Ada ", "🦊")))
    seen: list[str] = []

    async def stream(text: str) -> None:
        seen.append(text)

    thought = await backend.think(look("hello", model=model), stream)

    assert seen == ["Grüße, ", "Grüße, Ada ", "Grüße, Ada 🦊"]
    assert thought.step == Say(replies=(Reply(text="Grüße, Ada 🦊"),))


@every_model
async def test_counts_tokens_and_knows_the_price_where_there_is_one(backend: Model, model: str) -> None:
    usage = (await backend.think(look("hello", model=model), unread)).usage

    assert usage is not None
    assert (usage.model, usage.tokens_in, usage.tokens_out) == (model.partition(":")[2], TOKENS_IN, TOKENS_OUT)
    assert (usage.cost_usd is None) == model.startswith("openai-compatible")


@every_model
async def test_the_first_tool_call_is_the_step(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(("I will ask.",), (("refund", '{"amount": 5, "to": "Bob\\u0000"}'), ("refund", '{"amount": 6}'))))

    thought = await backend.think(look("refund", model=model, tools=(REFUND,)), unread)

    assert thought.step == Call(tool="refund", arguments={"amount": 5, "to": "Bob"})
    [seen] = stand_in.seen
    if model.startswith("anthropic"):
        assert seen.body["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    elif model.startswith("openai:"):
        assert seen.body["parallel_tool_calls"] is False


@every_model
async def test_calls_of_the_turn_come_back_as_pairs(stand_in: Provider, backend: Model, model: str) -> None:
    calls = (
        called(1, "refund", "waiting", arguments={"amount": 5}, asked="the owner", approval_id="apr_9"),
        called(2, "refund", "failed", arguments={"amount": 6}, result="no money"),
    )
    await backend.think(look("refund", model=model, tools=(REFUND,), calls=calls), unread)

    [seen] = stand_in.seen
    rest = seen.rest()
    assert [m["role"] for m in rest] == ["user", *(["assistant", "user" if "system" in seen.body else "tool"] * 2)]
    assert "cal_1" in str(rest[1])
    assert "cal_1" in str(rest[2])
    assert "apr_9" in str(rest[2])
    assert "no money" in str(rest[4])


@every_model
async def test_an_empty_answer_is_asked_for_once_more(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(), Says(("now",)))

    thought = await backend.think(look("hello", model=model), unread)

    assert texts(thought) == ["now"]
    assert isinstance(thought.usage, Usage)
    assert thought.usage.tokens_in == 2 * TOKENS_IN


@every_model
@pytest.mark.parametrize("act", [Says(), Says((" \n",)), Says(calls=(("refund", '{"amount'),)), Says(calls=(("refund", "[5]"),))])
async def test_no_usable_answer_twice_is_unavailable(stand_in: Provider, backend: Model, model: str, act: Says) -> None:
    stand_in.does(act)

    with pytest.raises(ModelUnavailable):
        await backend.think(look("hello", model=model, tools=(REFUND,)), unread)
    assert len(stand_in.seen) == 2


TOO_LONG = Fails(400, "invalid_request_error", f"prompt is too long: {PROMPT}", code="context_length_exceeded")
FAILURES = [
    (Fails(401, "authentication_error"), ModelRefused, "key is not valid"),
    (Fails(403, "permission_error"), ModelRefused, "may not use"),
    (Fails(404, "not_found_error", code="model_not_found"), ModelRefused, "does not know the model"),
    (Fails(400, "invalid_request_error"), ModelRefused, "status 400"),
    (Fails(422, "invalid_request_error"), ModelRefused, "status 422"),
    (Fails(418), ModelRefused, "status 418"),
    (Fails(402, "billing_error"), ModelRefused, "no credit"),
    (TOO_LONG, ModelRefused, "too long"),
    (Fails(413, "request_too_large"), ModelRefused, "too long"),
    (Fails(429, "rate_limit_error", headers={"retry-after": "7"}), ModelUnavailable, "slow down"),
    (Fails(408), ModelUnavailable, "fault"),
    (Fails(409), ModelUnavailable, "fault"),
    (Fails(500), ModelUnavailable, "fault"),
    (Fails(502), ModelUnavailable, "fault"),
    (Fails(529, "overloaded_error"), ModelUnavailable, "overloaded"),
    (Says((PROMPT,), cut=True), ModelUnavailable, "broke off"),
]


@every_model
@pytest.mark.parametrize(("act", "kind", "words"), FAILURES)
async def test_failures_say_what_to_do_and_hold_no_secret(
    stand_in: Provider,
    backend: Model,
    caplog: pytest.LogCaptureFixture,
    model: str,
    act: Fails | Says,
    kind: type[SwitchboardError],
    words: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    stand_in.does(Fails(act.status, act.kind, f"{act.message} {KEY} {PROMPT}", act.code, act.headers) if isinstance(act, Fails) else act)

    with structlog.testing.capture_logs() as logged, pytest.raises(kind) as failed:
        await backend.think(look(PROMPT, model=model, persona=PROMPT), unread)

    assert words in failed.value.detail
    assert len(stand_in.seen) == 1
    assert failed.value.retry_after == (7 if isinstance(act, Fails) and act.headers else None)
    told = "".join(traceback.format_exception(failed.value)) + repr(vars(failed.value)) + str(logged) + caplog.text
    assert KEY not in told
    assert PROMPT not in told
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None


@every_model
async def test_success_logs_no_secret_either(backend: Model, caplog: pytest.LogCaptureFixture, model: str) -> None:
    caplog.set_level(logging.DEBUG)

    with structlog.testing.capture_logs() as logged:
        await backend.think(look(PROMPT, model=model), unread)

    assert any(line["event"] == "model_request" for line in logged)
    assert PROMPT not in str(logged) + caplog.text
    assert KEY not in str(logged) + caplog.text + repr(vars(backend))


@every_model
async def test_a_filtered_answer_is_refused(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(("I w",), stop="refusal" if model.startswith("anthropic") else "content_filter"))

    with pytest.raises(ModelRefused, match="filter"):
        await backend.think(look("hello", model=model), unread)


@pytest.mark.parametrize("model", MODELS[:2])
async def test_an_answer_that_ends_too_early_is_not_taken_for_whole(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(("Transfer 10",), early=True))

    with pytest.raises(ModelUnavailable):
        await backend.think(look("hello", model=model), unread)


@every_model
async def test_a_provider_that_hangs_is_given_up_on(stand_in: Provider, model: str) -> None:
    impatient = build(stand_in, within=0.5)
    stand_in.does(Hangs())

    with pytest.raises(ModelUnavailable, match="too long"):
        await impatient.think(look("hello", model=model), unread)
    await impatient.close()


async def test_the_second_request_of_a_step_gets_no_time_of_its_own(stand_in: Provider) -> None:
    """Each of them would do for itself; together they take longer than a step may."""
    impatient = build(stand_in, within=5)
    stand_in.does(Says(after=3), Says(("late",), after=3))

    with pytest.raises(ModelUnavailable, match="too long"):
        await impatient.think(look("hello", model=MODELS[1]), unread)
    assert len(stand_in.seen) == 2
    await impatient.close()


async def test_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
    model = Model()

    with pytest.raises(ModelUnavailable, match="connection"):
        await model.think(look("hello", model=f"openai-compatible:x@{address}"), unread)
    await model.close()


async def test_a_turn_that_is_cancelled_asks_no_more(stand_in: Provider, backend: Model) -> None:
    stand_in.does(Hangs())
    thinking = asyncio.create_task(backend.think(look("hello", model=MODELS[0]), unread))
    while not stand_in.seen:
        await asyncio.sleep(0.02)
    thinking.cancel()

    with pytest.raises(asyncio.CancelledError):
        await thinking


@every_model
async def test_a_reader_that_fails_does_not_cost_the_answer(stand_in: Provider, backend: Model, model: str) -> None:
    stand_in.does(Says(("a", "b")))

    async def broken(text: str) -> None:
        raise RuntimeError

    assert texts(await backend.think(look("hello", model=model), broken)) == ["ab"]


async def test_a_key_goes_only_where_the_operator_sent_it(stand_in: Provider, backend: Model) -> None:
    elsewhere = stand_in.address("openai").replace("127.0.0.1", "localhost")
    await backend.think(look("hello", model=f"openai-compatible:x@{elsewhere}"), unread)
    await backend.think(look("hello", model=f"openai-compatible:x@{stand_in.address('openai')}/"), unread)

    stranger, ours = stand_in.seen
    assert KEY not in str(stranger.headers)
    assert KEY in str(ours.headers)


def test_scripted_agents_do_not_load_the_library() -> None:
    source = "import sys, agents.model, agents.scripted, agents.registry, agents.runner; print('pydantic_ai' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "False"
