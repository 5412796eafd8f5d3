"""The scripted backend: a fixed set of commands instead of a model, for the demo, for tests and for load.

Every message has a script: a generator that yields the calls it needs, is sent what became of each, and returns the reply. A step
replays the scripts of the whole batch over the calls already made this turn; the first call that was not made yet is the next
step, and when none is missing the replies are. So the step depends on nothing but the `Look`.
"""

from collections.abc import Iterator

from agents import Call, Called, Look, Reply, Say, Stream, Thought
from agents.scripted_commands import Script, script_for


class Scripted:
    """Answers `echo`, `slow`, `refund`, `remember`, `recall`, `plan` and `follow up`; needs no key and no network."""

    name = "scripted"

    async def think(self, look: Look, stream: Stream) -> Thought:
        """The next call some message of the batch needs, or one reply to each message, in order. Raises nothing."""
        return Thought(step=next_step(look))


def next_step(look: Look) -> Call | Say:
    """The step that follows from the batch and the calls made this turn."""
    made = iter(sorted(look.calls, key=lambda call: call.n))
    replies: list[Reply] = []
    for heard in look.batch:
        told = _replay(script_for(heard, look), made)
        if isinstance(told, Call):
            return told
        replies.append(Reply(text=told, answers=(heard.seq,)))
    return Say(replies=tuple(replies))


def _replay(script: Script, made: Iterator[Called]) -> Call | str:
    """Run a script over the calls that were made: the call it still lacks, or its reply."""
    try:
        wanted = next(script)
        while (called := next((call for call in made if call.tool == wanted.tool), None)) is not None:
            wanted = script.send(called)
    except StopIteration as end:
        return str(end.value)
    return wanted
