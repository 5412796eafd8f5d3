"""docs/reliability.md holds what the whole matrix came to, for every step there is."""

from tests.crash.report import BEGIN, END, HEAD, PAGE, table
from tests.crash.stack import PARTS
from tests.crash.steps import EDGES, STEPS


def _rows() -> list[list[str]]:
    written = PAGE.read_text("utf-8").partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    assert tuple(written[:2]) == HEAD
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in written[2:]]


def test_the_page_has_every_step_with_every_process_before_and_after() -> None:
    *steps, total = _rows()
    each = len(EDGES) * len(PARTS)

    assert [row[:3] for row in steps] == [[step.name, step.part, str(each)] for step in STEPS]
    assert total[2] == str(each * len(STEPS))


def test_nothing_was_lost_said_twice_out_of_order_or_done_twice() -> None:
    for _, _, _, accepted, answered, lost, *faults, _ in _rows():
        assert accepted == answered
        assert [lost, *faults] == ["0"] * 4


def test_the_table_is_written_in_the_form_the_page_has() -> None:
    written = table([])

    assert written.splitlines()[:2] == list(HEAD)
    assert len(written.splitlines()) == len(HEAD) + len(STEPS) + 1
