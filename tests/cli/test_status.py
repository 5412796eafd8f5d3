"""`switchboard status`, and what every command says when it cannot."""

import asyncio
import json

from tests.cli.running import Terminal, fits_the_api
from tests.world import World


async def test_one_screen_says_what_runs_and_what_waits(live: World, shell: Terminal) -> None:
    await live.say("refund 20 to Ada")

    shown = await shell.run("status")

    assert shown.code == 0
    assert "✓ API   ✓ Postgres   ✓ Temporal   ✓ 1 worker" in shown.lines[1]
    assert "1 awaiting approval" in shown.out
    assert "1 waits, asked " in shown.out
    assert "all answered" in shown.out
    assert f"{live.api_url}/console" in shown.out
    assert live.account in shown.out
    assert shown.widest <= 100  # the chat's address is long and not cut
    assert [line for line in shown.lines if len(line) > 80 and live.account not in line] == []


async def test_json_is_what_the_api_answers(live: World, shell: Terminal) -> None:
    await live.say("echo hi")

    shown = await shell.run("status", "--json")

    assert shown.body == (await live.api.get("/v1/status")).json()
    await fits_the_api(live, "get", "/v1/status", shown.body)
    assert (shown.body["sessions"], shown.body["messages"]["unanswered"], shown.body["workers"]) == ({"idle": 1}, 0, 1)


async def test_held_and_uncertain_messages_are_counted(live: World, shell: Terminal) -> None:
    written = await live.write("echo hi")
    await live.answer(written)
    live.sql.execute("update messages set state = 'unknown' where tenant_id = %s and direction = 'outbound'", (live.tenant,))
    live.sql.execute("update messages set state = 'parked' where tenant_id = %s and id = %s", (live.tenant, written.message_id))

    assert "all answered · 1 parked · 1 unknown" in (await shell.run("status")).out


async def test_errors_are_one_sentence_and_an_exit_code(shell: Terminal) -> None:
    nobody, stranger, keyless, wrong, misspelt, none = await asyncio.gather(
        shell.run("status", told={"SWITCHBOARD_API": "http://127.0.0.1:9"}),
        shell.run("sessions", told={"SWITCHBOARD_KEY": "sbk_wrong"}),
        shell.run("approvals", told={"SWITCHBOARD_KEY": ""}),
        shell.run("sessions", "list", "--phase", "asleep"),
        shell.run("status", "--wach"),
        shell.run("sessions", "show", "ses_none"),
    )

    assert (nobody.code, nobody.err) == (1, "Nothing answers at http://127.0.0.1:9; start it with `./switchboard up`, or name another with --api.\n")
    assert stranger.code == 1
    assert stranger.err.endswith("does not know this key; give another with --key or SWITCHBOARD_KEY.\n")
    assert (keyless.code, keyless.err.count("\n")) == (1, 1)
    assert keyless.err.startswith("No key is known; ")
    assert (wrong.code, misspelt.code) == (2, 2)
    assert (none.code, none.err) == (1, "There is no such thing for this tenant; check the id and the key's tenant.\n")
    assert {ran.out for ran in (nobody, stranger, keyless, wrong, misspelt, none)} == {""}


async def test_the_folder_of_up_says_where_it_is_and_with_which_key(live: World, shell: Terminal) -> None:
    (shell.data / "serving.json").write_text(json.dumps({"api": live.api_url}))
    (shell.data / "admin_token").write_text(f"{live.token}\n")

    shown = await shell.run("status", "--json", told={"SWITCHBOARD_API": "", "SWITCHBOARD_KEY": ""})

    assert shown.body["tenant_id"] == live.tenant
