"""Nobody changes what runs of before are replayed against without noticing."""

import ast
import textwrap

import pytest

from tests.replay import command_code, record
from tests.replay.command_code import Piece, fingerprint, workflows
from tests.replay.histories import recorded

SAID = record.known()


@pytest.mark.parametrize("kind", sorted(workflows()))
def test_command_issuing_code_is_as_it_was_recorded(kind: str) -> None:
    said = SAID[kind]

    assert said, f"{kind} was never recorded: run .venv/bin/python -m tests.replay.record --marker VERSION"
    assert said[-1]["sha256"] == fingerprint(kind), (
        f"{kind}: the code that issues its commands has changed, and runs of before may be alive. Put the change under workflow.patched(ID), "
        "or raise the version in pyproject.toml; add a path to tests/replay/scenarios.py; then run "
        ".venv/bin/python -m tests.replay.record --marker ID. What was recorded before has to replay still."
    )


@pytest.mark.parametrize("kind", sorted(workflows()))
def test_every_marker_has_histories_and_the_newest_is_in_the_code(kind: str) -> None:
    markers = [entry["marker"] for entry in SAID[kind]]

    assert len(markers) == len(set(markers))
    assert {one.marker for one in recorded() if one.workflow == kind} == set(markers)
    assert record.covers(kind, markers[-1])


CODE = '''
@workflow.defn(name="W")
class W:
    """Prose."""

    @workflow.init
    def __init__(self, ref: Ref) -> None:
        self._poked = True

    @workflow.signal
    def wake(self) -> None:
        self._poked = True

    @workflow.query
    def state(self) -> str:
        return "one"

    @workflow.run
    async def run(self, ref: Ref) -> str:
        """Prose."""
        await in_store("look", ref, str, summary=self._summary())  # why
        workflow.set_current_details("one")
        return await self._more(ref)

    async def _more(self, ref: Ref) -> str:
        await workflow.wait_condition(lambda: self._poked, timeout=SPAN)
        return "rest"

    def _summary(self) -> str:
        return "one"

SPAN = 5
'''


def _sha(text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The fingerprint of a module of this text."""
    module = ast.parse(textwrap.dedent(text))
    piece = Piece(record.ROOT / "workflows/w.py", "W", next(node for node in module.body if isinstance(node, ast.ClassDef)))
    with monkeypatch.context() as patched:
        patched.setattr(command_code, "workflows", lambda: {"W": piece})
        patched.setattr(command_code, "tree", lambda _: module)
        command_code.pieces.cache_clear()
        try:
            return fingerprint("W")
        finally:
            command_code.pieces.cache_clear()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Prose.", "Other prose."), ("# why", "# why not"), ('return "one"', 'return "two"'), ('details("one")', 'details("two")'),
        ("ref: Ref", "ref: Other"), ("(self) -> str:\n        return", "(self) -> str:\n\n        return"),
        ("summary=self._summary()", 'summary="another"'),
    ],
)  # fmt: skip
def test_what_issues_no_command_may_be_changed(before: str, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert before in CODE
    assert _sha(CODE, monkeypatch) == _sha(CODE.replace(before, after), monkeypatch)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('"look"', '"look_again"'), ("SPAN = 5", "SPAN = 6"), ("lambda: self._poked", "lambda: not self._poked"), ('return "rest"', 'return "end"'),
        ("def wake", "def poke"), ('name="W"', 'name="V"'), ("await self._more(ref)", '"rest"'),
        ("        return await", '        if workflow.patched("p"):\n            await in_store("new", ref, str)\n        return await'),
    ],
)  # fmt: skip
def test_what_issues_one_may_not(before: str, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert before in CODE
    assert _sha(CODE, monkeypatch) != _sha(CODE.replace(before, after), monkeypatch)


def test_a_change_needs_a_marker_that_is_in_the_code_and_covers_nothing_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    older = {kind: [{"marker": "0.0.1", "sha256": "of before"}] for kind in workflows()}
    built = next(iter({said[-1]["marker"] for said in SAID.values()}))
    monkeypatch.setattr(record, "covers", lambda _, marker: marker in ("a-patch", "0.0.1"))

    noted = record.marked(older, "a-patch", again=False)
    anew = record.marked(older, "", again=True)

    assert {kind: [entry["marker"] for entry in said] for kind, said in noted.items()} == {kind: ["0.0.1", "a-patch"] for kind in workflows()}
    assert anew == {kind: [{"marker": "0.0.1", "sha256": fingerprint(kind)}] for kind in workflows()}
    for marker, why in (("", "add workflow.patched"), ("0.0.1", "covers older code already"), (f"not {built}", "neither the id")):
        with pytest.raises(record.Refused, match=why):
            record.marked(older, marker, again=False)
    assert record.marked(noted, "", again=False) == noted
