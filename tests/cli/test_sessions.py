"""`switchboard sessions`."""

import asyncio

from tests.cli.running import Terminal, fits_the_api
from tests.world import World


async def test_listed_shown_and_told(live: World, shell: Terminal) -> None:
    await live.say("remember colour=blue")
    await live.say("refund 20 to Ada")
    seen = (await live.api.get("/v1/sessions")).json()["items"][0]

    listed, shown, told = await asyncio.gather(
        shell.run("sessions"), shell.run("sessions", "show", seen["id"]), shell.run("sessions", "history", seen["id"])
    )

    assert seen["id"] in listed.out.split()
    assert {seen["id"], seen["conversation_id"], seen["workflow_id"]} <= set(shown.out.split())
    assert 'colour = "blue"' in shown.out
    assert [line.split()[1] for line in told.lines if ":" in line[:6]][:4] == ["visitor", "tool", "demo", "visitor"]
    assert "I will remember that colour = blue." in told.out
    assert (await live.pending_approval())["id"] in told.out.split()
    assert max(ran.widest for ran in (listed, shown, told)) <= 80


async def test_json_is_what_the_api_answers(live: World, shell: Terminal) -> None:
    await live.say("echo hi")
    id_ = (await live.api.get("/v1/sessions")).json()["items"][0]["id"]

    listed, shown, told = await asyncio.gather(
        shell.run("sessions", "list", "--agent", "demo", "--json"), shell.run("sessions", "show", id_, "--json"),
        shell.run("sessions", "history", id_, "--json"),
    )  # fmt: skip

    assert listed.body == (await live.api.get("/v1/sessions?agent=demo")).json()
    await fits_the_api(live, "get", "/v1/sessions", listed.body)
    await fits_the_api(live, "get", "/v1/sessions/{session_id}", shown.body)
    await fits_the_api(live, "get", "/v1/sessions/{session_id}/history", told.body)


async def test_suspended_resumed_and_closed(live: World, shell: Terminal) -> None:
    await live.say("echo hi")
    id_ = (await live.api.get("/v1/sessions")).json()["items"][0]["id"]

    suspended = await shell.run("sessions", "suspend", id_)
    assert suspended.lines[0] == "Suspended."
    assert "suspended (member)" in suspended.lines[1]

    resumed = await shell.run("sessions", "resume", id_, "--context", "tone=kind", "--json")
    assert (resumed.body["phase"], resumed.body["context"]["tone"]) == ("idle", "kind")

    assert (await shell.run("sessions", "cancel-turn", id_)).code == 0
    assert (await shell.run("sessions", "close", id_)).code == 0
    again = await shell.run("sessions", "resume", id_)
    assert (again.code, again.out) == (1, "")
    assert again.err == "The session is closed and only readable; a new message starts another.\n"
