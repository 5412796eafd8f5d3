"""From a message to its answer."""

import asyncio

from tests.world import World


async def test_an_echo_is_answered(live: World) -> None:
    assert await live.say("echo hello") == "hello"


async def test_messages_written_at_once_are_answered_one_by_one_in_order(live: World) -> None:
    written = [await live.write(f"echo {n}") for n in range(20)]

    answers = await asyncio.gather(*(live.answer(message) for message in written))

    assert answers == [str(n) for n in range(20)]
    said = live.rows("select text from messages where tenant_id = %s and direction = 'outbound' order by seq")
    assert [row["text"] for row in said] == [str(n) for n in range(20)]


async def test_a_repeated_message_is_stored_and_answered_once(live: World) -> None:
    first = await live.write("echo once", id_="same")
    again = await live.write("echo once", id_="same")

    assert (again.message_id, again.seq, again.duplicate) == (first.message_id, first.seq, True)
    assert await live.answer(first) == "once"
    assert len(live.rows("select 1 from messages where tenant_id = %s and direction = 'outbound'")) == 1
