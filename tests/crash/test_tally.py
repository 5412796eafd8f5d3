"""The counting itself: each thing a person could complain about is counted when it is there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.crash.tally import Tally, arrived, falls, weigh

AT = datetime(2026, 1, 1, tzinfo=UTC)
IDS = ("in1", "in2")


def row(id_: str, seq: int, **more: Any) -> dict[str, Any]:
    """A message as it is stored; inbound and pending where nothing else is said."""
    plain = {"direction": "inbound", "state": "pending", "answered_by": None, "resend_of": None, "accepted_at": AT, "sent_at": None}
    return {"id": id_, "seq": seq, **plain, **more}


def heard(id_: str, seq: int, answered_by: str) -> dict[str, Any]:
    """An inbound message that was answered."""
    return row(id_, seq, state="answered", answered_by=answered_by)


def said(id_: str, seq: int, state: str = "sent", **more: Any) -> dict[str, Any]:
    """An outbound message, sent two seconds later."""
    return row(id_, seq, direction="outbound", state=state, sent_at=AT + timedelta(seconds=2), **more)


def weighed(*rows: dict[str, Any], shown: tuple[str, ...] = ("out1", "out2", "copy")) -> Tally:
    """What these rows come to."""
    return weigh(rows, IDS, set(shown))


def test_a_conversation_that_went_well_is_clean() -> None:
    counted = weighed(heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out1", 3), said("out2", 4))

    assert counted == Tally(accepted=2, answered=2, waits=[2.0, 2.0])
    assert counted.clean


@pytest.mark.parametrize(
    "rows",
    [
        (heard("in1", 1, "out1"), row("in2", 2), said("out1", 3)),
        (heard("in1", 1, "out1"), said("out1", 2)),
        (heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out1", 3), said("out2", 4, "unknown")),
        (heard("in1", 1, "out1"), heard("in2", 2, "hidden"), said("out1", 3), said("hidden", 4)),
    ],
    ids=["not answered", "not even stored", "not sent", "not shown"],
)
def test_what_did_not_reach_the_person_is_lost(rows: tuple[dict[str, Any], ...]) -> None:
    counted = weighed(*rows)

    assert counted.lost == 1
    assert not counted.clean


def test_a_labelled_copy_of_what_was_not_certain_is_an_answer_and_no_duplicate() -> None:
    counted = weighed(
        heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out1", 3, "unknown"), said("out2", 4), said("copy", 5, resend_of="out1")
    )

    assert counted.clean


def test_what_answers_nothing_and_has_no_label_was_said_twice() -> None:
    counted = weighed(heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out1", 3), said("out2", 4), said("again", 5))

    assert counted.duplicates == 1


def test_answers_in_the_wrong_order_and_a_missing_seq_break_the_order() -> None:
    swapped = weighed(heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out2", 3), said("out1", 4))
    gap = weighed(heard("in1", 1, "out1"), heard("in2", 2, "out2"), said("out1", 3), said("out2", 5))

    assert (swapped.order_breaks, gap.order_breaks) == (1, 1)


def test_what_a_socket_is_told_twice_or_late_breaks_the_order() -> None:
    assert [falls([1, 2, 5]), falls([1, 2, 2]), falls([1, 3, 2])] == [0, 1, 1]


def test_a_program_that_is_sent_the_same_message_twice_is_told_so_by_a_label_or_counts_it() -> None:
    places = {"a": 1, "b": 2, "copy": 3}
    labelled, twice, late = Tally(), Tally(), Tally()

    arrived(labelled, [("a", "x"), ("b", "y"), ("copy", "(This may be a repetition: …)\nx")], places)
    arrived(twice, [("a", "x"), ("a", "x"), ("b", "y")], places)
    arrived(late, [("b", "y"), ("a", "x")], places)

    assert (labelled.clean, twice.duplicates, late.order_breaks) == (True, 1, 1)
