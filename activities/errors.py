"""The edge between our errors and Temporal's: a code becomes a type, and retryable stays retryable."""

import functools
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import ParamSpec, TypeVar

import structlog
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory

from domain.errors import SwitchboardError

log = structlog.get_logger()
P = ParamSpec("P")
R = TypeVar("R")


def translated(error: SwitchboardError) -> ApplicationError:
    """The error as Temporal stores it: the code and the class's own words, never what the detail may hold."""
    return ApplicationError(
        (type(error).__doc__ or error.code).strip(),
        type=error.code,
        non_retryable=not error.retryable,
        next_retry_delay=timedelta(seconds=error.retry_after) if error.retry_after else None,
        category=ApplicationErrorCategory.BENIGN if error.retryable else ApplicationErrorCategory.UNSPECIFIED,
    )


def edge(body: Callable[P, Awaitable[R]]) -> Callable[P, Awaitable[R]]:
    """Translates what an activity raises. Other exceptions keep their type but lose their words, which may hold content."""

    @functools.wraps(body)
    async def translating(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return await body(*args, **kwargs)
        except SwitchboardError as error:
            raise translated(error) from None
        except ApplicationError:
            raise
        except Exception as error:
            log.exception("activity.failed", activity=body.__name__)
            raise ApplicationError(f"{type(error).__name__}; the worker's log has it.", type="internal") from None

    return translating
