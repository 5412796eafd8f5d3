"""A backend that writes slowly and says all it was shown: whatever it is shown by mistake, the wrong person reads."""

import asyncio

from agents import Look, Reply, Say, Stream, Thought

PIECE = 0.2
"""Seconds between two words, longer than what a draft's states are apart, so that each is shown."""


class Streamer:
    """Answers with everything that was said before and now, word by word."""

    name = "streamer"

    async def think(self, look: Look, stream: Stream) -> Thought:
        """One reply to all that is asked, streamed."""
        shown = [line.text for line in look.transcript] + [heard.text for heard in look.batch] + [str(value) for value in look.context.values()]
        words = " ".join(shown).split()[-12:]
        for n in range(len(words)):
            await stream(" ".join(words[: n + 1]))
            await asyncio.sleep(PIECE)
        return Thought(step=Say(replies=(Reply(text=" ".join(words)),)))
