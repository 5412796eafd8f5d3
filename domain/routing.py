"""Routing: whether a sender is let in, and which agent an address belongs to."""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any, Literal

from domain.messages import Frozen


class Settle(Frozen):
    """The conversation goes to this agent."""

    kind: Literal["settle"] = "settle"
    agent_id: str


class Leave(Frozen):
    """The conversation stays undecided, for a reason people can read."""

    kind: Literal["leave"] = "leave"
    state: Literal["held", "unbound", "refused"]
    why: str


def admitted(admission: str, tier: str, peer: str, owners: Sequence[str]) -> Leave | None:
    """None when the sender may talk to an agent; else how the messages are kept."""
    if tier == "blocked":
        return Leave(state="refused", why="blocked")
    if peer in owners or tier in ("owner", "admitted") or admission == "open":
        return None
    return Leave(state="held", why="stored in silence" if admission == "closed" else "waits to be admitted")


def route(bindings: Sequence[Mapping[str, Any]], account: str, chat: str, thread: str) -> str | None:
    """The agent of the most specific binding that matches an address: thread before chat before account, exact before pattern.

    Of two patterns the one with more signs that stand for themselves is more specific; of two equals the newer binding decides.
    """

    def specific(binding: Mapping[str, Any]) -> tuple[Any, ...]:
        return (_weight(binding["thread"]), _weight(binding["chat"]), binding["account_id"] is not None, binding["id"])

    matching = [
        b for b in bindings
        if b["account_id"] in (None, account) and fnmatchcase(chat, b["chat"]) and fnmatchcase(thread, b["thread"])
    ]  # fmt: skip
    return max(matching, key=specific)["agent_id"] if matching else None


def _weight(pattern: str) -> tuple[int, int]:
    if pattern == "*":
        return 0, 0
    literal = re.sub(r"[*?]|\[!?\]?[^\]]*\]", "", pattern)
    return 2 if literal == pattern else 1, len(literal)


def decide_route(look: Any) -> Settle | Leave:
    """Where a conversation goes, from what is known of it. What a member refused stays refused until a member admits it."""
    if look.state == "refused":
        return Leave(state="refused", why="refused by a member")
    if left := admitted(look.admission, look.tier, look.peer, look.owner_identities):
        return left
    agent = route(look.bindings, look.account_id, look.chat, look.thread)
    return Settle(agent_id=agent) if agent else Leave(state="unbound", why="no binding matches")


def stays(look: Any, decided: Settle | Leave) -> bool:
    """Whether a settled conversation keeps its session: it has no open one to leave, was started for its agent, or no other agent claims it."""
    if look.agent_id is None or look.channel == "api" or isinstance(decided, Leave):
        return True
    return bool(decided.agent_id == look.agent_id) and look.next_session_id is None
