"""`switchboard chat`: one message, several on standard input, and a conversation that goes on."""

import asyncio
import json
import stat

from tests.cli.running import Terminal
from tests.world import World


async def test_one_message_is_answered_and_the_conversation_goes_on(live: World, shell: Terminal) -> None:
    first = await shell.run("chat", "--once", "remember colour=blue")
    assert (first.code, first.out, first.err) == (0, "I will remember that colour = blue.\n", "")

    again = await shell.run("chat", "web", "--once", "recall colour", "--json")
    assert (again.body["type"], again.body["direction"]) == ("message", "outbound")
    assert "blue" in again.body["text"]

    kept = shell.data / "chats.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert list(json.loads(kept.read_text())) == [live.account]

    anew = await shell.run("chat", live.account, "--new", "--once", "recall colour")
    assert "blue" not in anew.out


async def test_lines_on_standard_input_are_answered_one_by_one(shell: Terminal) -> None:
    ran = await shell.run("chat", typed="echo one\n\necho two \N{MEMO}\n")

    assert (ran.code, ran.out) == (0, "one\ntwo \N{MEMO}\n")


async def test_an_answer_that_does_not_come_in_time(live: World, shell: Terminal) -> None:
    late = await shell.run("chat", "--once", "slow 3 sorry", "--timeout", "1s")

    assert late.code == 1
    assert late.err == "No answer within 1 s; the message is stored and will be answered; `switchboard chat` shows it.\n"
    await live.until("select 1 from messages where tenant_id = %s and text = 'sorry' and state = 'sent'")


async def test_chats_that_are_not_there(shell: Terminal) -> None:
    name, id_, nowhere = await asyncio.gather(
        shell.run("chat", "nope", "--once", "hi"),
        shell.run("chat", "acc_nope", "--once", "hi"),
        shell.run("chat", "acc_nope", "--once", "hi", told={"SWITCHBOARD_API": "http://127.0.0.1:9"}),
    )

    assert (name.code, name.err) == (1, "There is no web chat named nope; there is web.\n")
    assert (id_.code, id_.err.startswith("There is no web chat acc_nope at http://")) == (1, True)
    assert (nowhere.code, nowhere.err.startswith("Nothing answers at http://127.0.0.1:9;")) == (1, True)
