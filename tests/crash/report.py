"""Writes what the whole matrix came to into docs/reliability.md, between the two marks."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from statistics import median

from embedded.running import ROOT
from tests.crash.matrix import Played
from tests.crash.steps import STEPS
from tests.crash.tally import Tally

PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- matrix: written by the crash tests with --crash=full -->", "<!-- end of the matrix -->"
HEAD = (
    "| step | by | cases | accepted | answered | lost | unlabelled duplicates | order breaks | effects twice | seconds to the answer: median, most |",
    "| --- | --- | --: | --: | --: | --: | --: | --: | --: | --: |",
)


def table(played: Sequence[Played]) -> str:
    """A row a step, and one for all of them."""
    rows = [_row(step.name, step.part, [one for one in played if one.case.step is step]) for step in STEPS]
    return "\n".join([*HEAD, *rows, _row("**all**", "", played)])


def write(played: Sequence[Played]) -> None:
    """Replaces the page's table. Raises ValueError when the page has no place for it."""
    page = PAGE.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"the page has no place for the table: {BEGIN} … {END}")
    PAGE.write_text(f"{before}{BEGIN}\n{table(played)}\n{END}{after}", "utf-8")


def _row(name: str, part: str, played: Sequence[Played]) -> str:
    t = reduce(add, (one.tally for one in played), Tally())
    waits = f"{median(t.waits):.1f}, {max(t.waits):.1f}" if t.waits else "none"
    counts = (len(played), t.accepted, t.answered, t.lost, t.duplicates, t.order_breaks, t.effects_twice)
    return f"| {name} | {part} | {' | '.join(map(str, counts))} | {waits} |"
