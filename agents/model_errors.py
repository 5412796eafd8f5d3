"""Translates the client library's errors. Their own texts quote the provider and the request, so none of them is passed on."""

from pydantic_ai.exceptions import (
    ContentFilterError,
    ModelAPIError,
    ModelAuthenticationError,
    ModelConnectionError,
    ModelContextWindowExceededError,
    ModelHTTPError,
    ModelNotFoundError,
    ModelQuotaExceededError,
    ModelRateLimitError,
    ModelRequestRejectedError,
    ModelRequestTimeout,
    ModelTimeoutError,
    ModelUnavailableError,
    UserError,
)

from agents.model_names import VARIABLE, Target
from agents.model_refusals import TooLong
from domain.errors import ModelRefused, ModelUnavailable

TRY_AGAIN = (408, 409, 425, 429)
TOO_LARGE = 413

FILTERED = "The model provider's content filter refused this conversation. Write it in other words."


def translated(error: Exception, where: Target) -> ModelRefused | ModelUnavailable:
    """The error as one of ours, with a sentence that says what to do."""
    match error:
        case ModelContextWindowExceededError() | ModelHTTPError(status_code=413):
            return TooLong()
        case ModelAuthenticationError() | ModelNotFoundError() | ModelQuotaExceededError() | ModelRequestRejectedError():
            return ModelRefused(_refusal(error, where))
        case ContentFilterError():
            return ModelRefused(FILTERED)
        case ModelHTTPError(status_code=status) if 400 <= status < 500 and status not in TRY_AGAIN:
            return ModelRefused(_refusal(error, where))
        case UserError():
            return ModelRefused(f"The model “{where.name}” cannot be used with this agent's settings. Choose another model.")
        case ModelAPIError():
            return ModelUnavailable(_absence(error), retry_after=error.retry_after)
        case _:
            return ModelUnavailable(f"The model provider's answer could not be read ({type(error).__name__}). It is tried again.")


def _refusal(error: ModelAPIError, where: Target) -> str:
    check = f"Check {VARIABLE.get(where.provider, 'the key kept for its address')}."
    match error:
        case ModelAuthenticationError() if getattr(error, "status_code", 401) == 403:
            return f"The model provider says that the key may not use “{where.name}”. {check}"
        case ModelAuthenticationError():
            return f"The model provider says the key is not valid. {check}"
        case ModelNotFoundError():
            near = getattr(error, "suggested_model_id", None)
            return f"The model provider does not know the model “{where.name}”. {_meant(near)}Check the agent's model."
        case ModelQuotaExceededError():
            return "The account at the model provider has no credit or quota left. Top it up, or use another model."
        case _:
            status = getattr(error, "status_code", None)
            return f"The model provider refuses this request{f' (status {status})' if status else ''}. Check the agent's model and tools."


def _meant(near: str | None) -> str:
    return f"Did you mean “{near}”? " if near else ""


def _absence(error: ModelAPIError) -> str:
    match error:
        case ModelRateLimitError():
            return "The model provider asks to slow down. It is tried again in a while."
        case ModelTimeoutError() | ModelRequestTimeout():
            return "The model provider took too long to answer. It is tried again."
        case ModelConnectionError():
            return "The connection to the model provider broke off or could not be made. It is tried again."
        case ModelUnavailableError():
            return "The model provider is overloaded. It is tried again."
        case _:
            return "The model provider has a fault on its side. It is tried again."
