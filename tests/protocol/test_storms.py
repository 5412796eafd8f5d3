"""The protocol's invariants under storms: random schedules against the real database, seeds printed, dice thrown anew with `--protocol-seed`."""

import random

import pytest
from rich.console import Console

from tests.protocol.laws import broken, unanswered_for_no_reason, waits, wrong_answers, wrong_effects, wrong_wire
from tests.protocol.stage import Stage
from tests.protocol.storm import Storm

STORMS = 3
QUIET_WITHIN = 120.0


@pytest.mark.parametrize("number", range(STORMS))
@pytest.mark.timeout(900)
async def test_a_storm_breaks_no_law(stage: Stage, number: int, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]) -> None:
    seconds = float(request.config.getoption("--protocol-seconds"))
    given = request.config.getoption("--protocol-seed")
    seed = int(given) + number if given else random.SystemRandom().randrange(10**6)
    storm = Storm(stage, seed)

    await storm.rage(seconds / STORMS)
    await storm.calm_down(QUIET_WITHIN)

    report = storm.report()
    with capsys.disabled():
        Console().print(f"\n{report}", highlight=False)
    assert storm.runs.faults == [], report
    assert sorted(storm.found) + broken(stage) == [], report
    assert waits(stage) == [], report
    accepted_in_order(storm, report)
    assert unanswered_for_no_reason(stage, may_be_cancelled=True) == [], report
    assert wrong_answers(stage) + wrong_effects(stage, storm.effects) + wrong_wire(stage, storm.effects) == [], report
    for approval, statuses in storm.verdicts.items():
        assert statuses.count("decided") <= 1, f"{report}: {approval} {statuses}"
    assert len(storm.written) > seconds / STORMS, "hardly anything happened"


def accepted_in_order(storm: Storm, report: str) -> None:
    """What was accepted is stored under that seq; of two in one conversation, the one that was answered before the other came has the lower."""
    stored = {row["id"]: row for row in storm.stage.rows("select id, seq, conversation_id from messages where tenant_id = %s")}
    seqs: dict[str, set[int]] = {}
    for written in storm.written:
        accepted = written.accepted
        row = stored[accepted.message_id]
        assert (row["seq"], row["conversation_id"]) == (accepted.seq, accepted.conversation_id), report
        if not accepted.duplicate:
            assert accepted.seq not in seqs.setdefault(accepted.conversation_id, set()), report
            seqs[accepted.conversation_id].add(accepted.seq)
    firsts = sorted((w for w in storm.written if not w.accepted.duplicate), key=lambda w: w.began)
    for number, later in enumerate(firsts):
        for earlier in firsts[max(0, number - 30) : number]:
            if earlier.ended < later.began and earlier.accepted.conversation_id == later.accepted.conversation_id:
                assert earlier.accepted.seq < later.accepted.seq, report
