"""What follows from a look at a session: what was decided or written comes before anything new is thought."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.sessions import Act, AgentSeen, Ask, Asked, Deliver, GiveUp, Line, OpenCall, Rest, Sight, Stop, Think, TurnCall, what_next

NOW = datetime(2026, 1, 1, tzinfo=UTC)
AGENT = AgentSeen(id="agt", name="a", persona="", backend="scripted", model="", language="en", tools=())
STATES = ("ready", "asking", "waiting", "approved", "denied", "started", "done", "failed", "unknown", "cancelled")


def _sight(**changed: Any) -> Sight:
    plain: dict[str, Any] = {
        "life": "open", "mode": "copilot", "turn": 3, "step": 0, "context": {}, "plan": (), "plan_approved": False, "asking": False, "agent": AGENT,
        "unsent_conversation_id": None, "conversation_id": "con", "channel": "webchat", "upto": 1, "looked_at": NOW, "batch": (), "calls": (),
        "transcript": (),
    }  # fmt: skip
    return Sight(**(plain | changed))


def _call(state: str, *, gate: str = "run", asked_outcome: bool = False, id_: str = "cal") -> TurnCall:
    return TurnCall(
        id=id_,
        n=1,
        tool="t",
        arguments={},
        gate=gate,
        state=state,
        sha256="own",
        result=None,
        asked="",
        approval_id=None,
        asked_outcome=asked_outcome,
    )


def _verdict(state: str, *, gate: str = "ask", asked_outcome: bool = False) -> Line:
    call = OpenCall(id="asked", state=state, gate=gate, sha256="approval's", asked_outcome=asked_outcome)
    asked = Asked(approval_id="apr", purpose="gate", verdict="approved", comment="", answer=None, tool="t", arguments={}, result=None, call=call)
    return Line(id="msg", seq=1, kind="verdict", text="", sender="", asked=asked)


@pytest.mark.parametrize(
    ("changed", "follows"),
    [
        ({}, Think()),
        ({"conversation_id": None}, Rest()),
        ({"life": "closed"}, Stop("closed")),
        ({"life": "suspended"}, Stop("suspended")),
        ({"life": "handed_off"}, Stop("handed_off")),
        ({"life": "closed", "unsent_conversation_id": "con"}, Stop("closed")),
        ({"life": "suspended", "unsent_conversation_id": "con"}, Deliver("con")),
        ({"unsent_conversation_id": "con", "calls": (_call("ready"),)}, Deliver("con")),
        ({"step": 1, "calls": (_call("ready"),)}, Act("cal", "own")),
        ({"step": 1, "calls": (_call("started"),)}, Act("cal", "own")),
        ({"step": 1, "calls": (_call("unknown"),)}, Ask("cal", "outcome")),
        ({"step": 1, "calls": (_call("unknown", asked_outcome=True),)}, Think()),
        ({"step": 1, "calls": (_call("asking", gate="ask"),)}, Ask("cal", "gate")),
        ({"step": 1, "calls": (_call("waiting", gate="ask"),)}, Think()),
        ({"step": 1, "calls": (_call("approved", gate="ask"),)}, Think()),
        ({"step": 1, "calls": (_call("done"),)}, Think()),
        ({"step": 1, "calls": (_call("done"), _call("ready", id_="second"))}, Act("second", "own")),
        ({"batch": (_verdict("approved"),)}, Act("asked", "approval's")),
        ({"batch": (_verdict("done"),)}, Think()),
        ({"batch": (_verdict("denied"),)}, Think()),
        ({"batch": (_verdict("unknown"),)}, Ask("asked", "outcome")),
        ({"step": 5}, Think()),
        ({"step": 6}, GiveUp()),
        ({"step": 6, "calls": (_call("ready"),)}, Act("cal", "own")),
    ],
)
def test_what_follows_from_a_look(changed: dict[str, Any], follows: Any) -> None:
    assert what_next(_sight(**changed), steps_limit=6) == follows


@settings(deadline=None)
@given(
    st.sampled_from(["open", "suspended", "handed_off", "closed"]),
    st.lists(st.builds(_call, st.sampled_from(STATES), gate=st.sampled_from(["run", "ask", "deny"]), asked_outcome=st.booleans()), max_size=3),
    st.lists(st.builds(_verdict, st.sampled_from(STATES), asked_outcome=st.booleans()), max_size=2),
    st.integers(0, 9),
)
def test_whatever_is_seen_nothing_is_done_unless_open_and_nothing_is_thought_before_what_is_begun(
    life: str, calls: list[TurnCall], batch: list[Line], step: int
) -> None:
    follows = what_next(_sight(life=life, calls=tuple(calls), batch=tuple(batch), step=step), steps_limit=6)

    if life != "open":
        assert follows == Stop(life)
    if isinstance(follows, Think | GiveUp):
        assert not [call for call in calls if call.gate == "run" and call.state in ("ready", "approved", "started")]
        assert not [line for line in batch if line.asked and line.asked.call.state in ("ready", "approved", "started")]
        assert isinstance(follows, GiveUp) is (step >= 6)


@pytest.mark.parametrize(("turn", "step", "next_turn", "next_step"), [(0, 0, 1, 1), (3, 0, 4, 1), (3, 2, 3, 3)])
def test_the_next_step_is_in_the_open_turn_or_the_first_of_the_next(turn: int, step: int, next_turn: int, next_step: int) -> None:
    sight = _sight(turn=turn, step=step)

    assert (sight.next_turn, sight.next_step) == (next_turn, next_step)
