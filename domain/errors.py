"""The one tree of errors. A class's docstring is what a person reads: what is wrong and what to do.

SwitchboardError
├── Refused                 the request cannot be carried out as it stands (not retried)
│   ├── Invalid  NotFound  Conflict  Gone  RateLimited  Unauthorized  Forbidden
│   │   └── CsrfFailed      the page is out of date
│   ├── PreconditionRequired  PreconditionFailed  IdempotencyConflict
│   ├── AlreadyDecided  ApprovalExpired  ArgumentsChanged  AnswerMissing  NotAnApprover  SelfDecision
│   ├── BadSignature  SessionClosed  ConnectionLimit  StillRunning  AccountDisconnected
│   ├── ModelRefused        the model's provider refuses the request
│   ├── ToolFailed          the tool could not do what was asked
│   └── SendRefused         the channel refuses the message for good
├── Unavailable             something we depend on is away; trying again helps
│   ├── StoreUnavailable  TemporalUnavailable  ModelUnavailable
│   ├── SendFailed          the channel did not take the message this time
│   └── SendUncertain       the channel may have taken the message
└── StartFailed             Switchboard cannot start
"""

from typing import Any, ClassVar


class SwitchboardError(Exception):
    """Something went wrong inside Switchboard; the log of this moment names it."""

    code: ClassVar[str] = "internal"
    status: ClassVar[int] = 500
    retryable: ClassVar[bool] = False

    def __init__(self, detail: str = "", *, retry_after: float | None = None, **extra: Any) -> None:
        super().__init__(detail or (self.__doc__ or "").strip())
        self.detail = detail or (self.__doc__ or "").strip()
        self.retry_after = retry_after
        """Seconds after which another try makes sense, where the other side said so."""
        self.extra = extra
        """Further members of the problem document, such as `field` or `decided_by`."""


class Refused(SwitchboardError):
    """The request cannot be carried out as it stands."""

    code = "refused"
    status = 400


class Invalid(Refused):
    """A field has a value that is not accepted; `field` names it."""

    code = "invalid"
    status = 422


class NotFound(Refused):
    """There is no such thing for this tenant; check the id and the key's tenant."""

    code = "not_found"
    status = 404


class Conflict(Refused):
    """The thing is in a state that does not allow this; read it again."""

    code = "conflict"
    status = 409


class Unauthorized(Refused):
    """Sign in first: send an API key as `Authorization: Bearer …`, or use the one-time link that `up` prints."""

    code = "unauthorized"
    status = 401


class Forbidden(Refused):
    """Your role does not allow this; ask a customer_admin of the tenant."""

    code = "forbidden"
    status = 403


class CsrfFailed(Forbidden):
    """The page is out of date: reload it and try again."""

    code = "csrf_failed"


class Gone(Refused):
    """This can no longer be used; start again."""

    code = "gone"
    status = 410


class RateLimited(Refused):
    """Too many requests; wait for the time Retry-After names."""

    code = "rate_limited"
    status = 429
    retryable = True


class PreconditionRequired(Refused):
    """Send If-Match with the version you read, so that no other change is lost."""

    code = "precondition_required"
    status = 428


class PreconditionFailed(Refused):
    """It was changed since you read it; read it again and repeat your change."""

    code = "version_mismatch"
    status = 412


class IdempotencyConflict(Refused):
    """This Idempotency-Key was used for another request; use a new key."""

    code = "idempotency_key_reused"
    status = 422


class StillRunning(Refused):
    """The same request is being carried out; ask again after the time Retry-After names."""

    code = "idempotency_key_in_use"
    status = 409


class AlreadyDecided(Refused):
    """Someone decided this approval already; the answer says who, when and what."""

    code = "already_decided"
    status = 409


class ApprovalExpired(Refused):
    """The time for this decision has passed; the default was applied."""

    code = "expired"
    status = 409


class ArgumentsChanged(Refused):
    """The arguments are not those you were shown; look at the approval again."""

    code = "arguments_changed"
    status = 409


class NotAnApprover(Refused):
    """You are not among those who may decide this."""

    code = "not_an_approver"
    status = 403


class AnswerMissing(Refused):
    """This asks for an answer, or for one of its options; send it as `answer`."""

    code = "answer_missing"
    status = 422

    def __init__(self, detail: str = "", **extra: Any) -> None:
        super().__init__(detail, **({"field": "answer"} | extra))


class SelfDecision(Refused):
    """Whoever asked may not decide; another approver has to."""

    code = "self_decision"
    status = 403


class BadSignature(Refused):
    """The signature does not fit the body; check the account's secret on both sides."""

    code = "bad_signature"
    status = 401


class SessionClosed(Refused):
    """The session is closed and only readable; a new message starts another."""

    code = "session_closed"
    status = 409


class ConnectionLimit(Refused):
    """This account has as many open chats as it may have; close one or try later."""

    code = "connection_limit"
    status = 429


class AccountDisconnected(Refused):
    """This account is not connected, so nothing is accepted on it; connect it first."""

    code = "account_disconnected"
    status = 409


class ModelRefused(Refused):
    """The model's provider refuses the request; check the model's name, the key and the credit."""

    code = "model_refused"


class ToolFailed(Refused):
    """The tool could not do what was asked; its result says why."""

    code = "tool_failed"


class SendRefused(Refused):
    """The channel refuses this message for good; it is shown as failed."""

    code = "send_refused"


class Unavailable(SwitchboardError):
    """Something this needs is away; try again in a moment."""

    code = "unavailable"
    status = 503
    retryable = True


class StoreUnavailable(Unavailable):
    """Postgres does not answer; nothing was stored, send it again."""

    code = "postgres_unavailable"


class TemporalUnavailable(Unavailable):
    """Temporal does not answer; what was accepted is safe and goes on when it is back."""

    code = "temporal_unavailable"


class ModelUnavailable(Unavailable):
    """The model's provider does not answer or is overloaded; it is tried again."""

    code = "model_unavailable"


class SendFailed(Unavailable):
    """The channel did not take the message; it is tried again."""

    code = "send_failed"


class SendUncertain(Unavailable):
    """The channel may or may not have taken the message; a member decides unless it can be read back."""

    code = "send_uncertain"


class StartFailed(SwitchboardError):
    """Switchboard cannot start; the message says what to mend."""

    code = "start_failed"
