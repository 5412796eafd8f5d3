"""Identifiers: what they look like, and the workflow id of each thing that has a workflow."""

from typing import NewType

from ulid import ULID

TenantId = NewType("TenantId", str)
AccountId = NewType("AccountId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
SessionId = NewType("SessionId", str)
ApprovalId = NewType("ApprovalId", str)
AgentId = NewType("AgentId", str)
CallId = NewType("CallId", str)
MemberId = NewType("MemberId", str)
PersonId = NewType("PersonId", str)

PREFIXES = ("acc", "agt", "apr", "bnd", "cal", "con", "grt", "inv", "key", "mem", "msg", "par", "per", "ses", "ten", "vis")


def new_id(prefix: str) -> str:
    """A new identifier such as `msg_01J…`: the prefix names the kind, the rest is a ULID, so ids sort by birth.

    Raises ValueError when the prefix is not one of `PREFIXES`.
    """
    if prefix not in PREFIXES:
        raise ValueError(f"no kind of thing has the prefix {prefix!r}")
    return f"{prefix}_{ULID()}".lower()


def routing_workflow(tenant: str, conversation: str) -> str:
    """The workflow that decides where a conversation goes."""
    return f"routing/{tenant}/{conversation}"


def session_workflow(tenant: str, session: str) -> str:
    """The workflow that lives a session's life while there is something to do."""
    return f"session/{tenant}/{session}"


def approval_workflow(tenant: str, approval: str) -> str:
    """The workflow that keeps an approval's clock."""
    return f"approval/{tenant}/{approval}"
