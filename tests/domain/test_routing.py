"""Routes: who is let in, and the most specific binding."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.routing import Leave, Settle, admitted, decide_route, route, stays


def _binding(agent: str, *, account: str | None = None, chat: str = "*", thread: str = "*", id_: str = "") -> dict[str, Any]:
    return {"id": id_ or agent, "account_id": account, "chat": chat, "thread": thread, "agent_id": agent}


# From the least to the most specific: thread before chat before account, exact before pattern, more signs before fewer.
LADDER = [
    _binding("any"),
    _binding("account", account="acc"),
    _binding("chat starts", chat="t*"),
    _binding("chat starts longer", chat="team-*"),
    _binding("chat starts longer here", account="acc", chat="team-*"),
    _binding("chat", chat="team-1"),
    _binding("thread starts", thread="x*"),
    _binding("thread starts, chat", chat="team-1", thread="x*"),
    _binding("thread", thread="x1"),
    _binding("thread and chat", chat="team-1", thread="x1"),
    _binding("everything", account="acc", chat="team-1", thread="x1"),
]


@settings(deadline=None)
@given(st.sets(st.integers(0, len(LADDER) - 1), min_size=1), st.randoms())
def test_the_most_specific_binding_wins_in_whatever_order_they_come(rungs: set[int], random: Any) -> None:
    bindings = [LADDER[rung] for rung in rungs]
    random.shuffle(bindings)

    assert route(bindings, "acc", "team-1", "x1") == LADDER[max(rungs)]["agent_id"]


def test_of_two_equals_the_newer_decides() -> None:
    older, newer = _binding("older", chat="a*", id_="bnd_01"), _binding("newer", chat="*a", id_="bnd_02")

    assert route([newer, older], "acc", "aa", "") == route([older, newer], "acc", "aa", "") == "newer"


@pytest.mark.parametrize(
    ("chat", "pattern", "matches"),
    [
        ("Team", "team", False),
        ("a.b", "a?b", True),
        ("a[b", "a[[]b", True),
        ("room1", "room[0-9]", True),
        ("roomx", "room[!0-9]", True),
        ("", "*", True),
        ("100%", "100%", True),
    ],
)
def test_patterns_are_those_of_a_shell_and_know_capitals(chat: str, pattern: str, matches: bool) -> None:
    assert (route([_binding("agent", chat=pattern)], "acc", chat, "") == "agent") is matches


def test_a_binding_of_another_account_matches_nothing_here() -> None:
    assert route([_binding("agent", account="other")], "acc", "chat", "") is None


@pytest.mark.parametrize(
    ("admission", "tier", "peer", "state"),
    [
        ("open", "guest", "p", None),
        ("open", "blocked", "p", "refused"),
        ("open", "blocked", "owner", "refused"),
        ("ask", "guest", "p", "held"),
        ("ask", "guest", "owner", None),
        ("ask", "admitted", "p", None),
        ("ask", "owner", "p", None),
        ("code", "guest", "p", "held"),
        ("closed", "guest", "p", "held"),
        ("closed", "admitted", "p", None),
    ],
)
def test_who_is_let_in(admission: str, tier: str, peer: str, state: str | None) -> None:
    left = admitted(admission, tier, peer, ["owner"])

    assert (left.state if left else None) == state


def _look(**known: Any) -> Any:
    here = {"account_id": "acc", "chat": "c", "thread": "", "channel": "webchat", "agent_id": None, "next_session_id": None}
    who = {"state": "undecided", "admission": "open", "tier": "guest", "peer": "p", "owner_identities": []}
    return SimpleNamespace(**(here | who | {"bindings": [_binding("agt")]} | known))


def test_a_look_is_decided_by_admission_first_and_bindings_then() -> None:
    assert decide_route(_look()) == Settle(agent_id="agt")
    assert decide_route(_look(bindings=[])) == Leave(state="unbound", why="no binding matches")
    assert decide_route(_look(admission="ask", bindings=[])).kind == "leave"
    assert decide_route(_look(state="refused")) == Leave(state="refused", why="refused by a member")


@pytest.mark.parametrize(
    ("known", "kept"),
    [
        ({"agent_id": None}, True),
        ({"agent_id": "agt"}, True),
        ({"agent_id": "other"}, False),
        ({"agent_id": "agt", "next_session_id": "ses"}, False),
        ({"agent_id": "other", "channel": "api"}, True),
        ({"agent_id": "other", "bindings": []}, True),
    ],
)
def test_a_settled_conversation_moves_only_where_another_agent_claims_it(known: dict[str, Any], kept: bool) -> None:
    look = _look(state="settled", **known)

    assert stays(look, decide_route(look)) is kept
