"""`switchboard approvals`, as a person and as a script use it."""

import asyncio
import re

from tests.cli.running import Terminal, fits_the_api
from tests.world import World

LONG = "Send the newsletter to all 12,400 subscribers of the spring list right now, without another look at it"


async def test_asked_listed_shown_and_approved(live: World, shell: Terminal) -> None:
    asked = await shell.run("approvals", "ask", LONG, "--arg", "to=Ada", "--arg", "amount:=20", "--within", "2h", "--allow-self", "--json")
    await fits_the_api(live, "post", "/v1/approvals", asked.body)
    assert asked.body["arguments"] == {"to": "Ada", "amount": 20}
    id_ = asked.body["id"]

    listed = await shell.run("approvals")
    assert id_ in listed.out
    assert "2 h left" in listed.out
    assert listed.widest <= 80

    shown = await shell.run("approvals", "show", id_)
    assert {id_, asked.body["arguments_sha256"], asked.body["workflow_id"]} <= set(shown.out.split())
    assert re.search(r'amount\s+20\n\s+to\s+"Ada"', shown.out) or re.search(r'to\s+"Ada"\n\s+amount\s+20', shown.out)
    assert shown.widest <= 80

    unsure = await shell.run("approvals", "approve", id_)
    assert (unsure.code, unsure.err) == (1, "Nobody is there to ask; add --yes to decide without a question.\n")
    assert (await live.api.get(f"/v1/approvals/{id_}")).json()["state"] == "pending"

    approved = await shell.run("approvals", "approve", id_, "--yes", "--comment", "go")
    assert (approved.code, approved.lines[-1]) == (0, "Approved.")

    late = await shell.run("approvals", "deny", id_, "--yes")
    assert (late.code, late.err) == (1, "It was approved by admin, just now: go.\n")


async def test_json_is_what_the_api_answers(live: World, shell: Terminal) -> None:
    await live.say("refund 20 to Ada")
    id_ = (await live.pending_approval())["id"]

    listed, shown = await asyncio.gather(shell.run("approvals", "list", "--json"), shell.run("approvals", "show", id_, "--json"))

    assert listed.body == (await live.api.get("/v1/approvals")).json()
    assert shown.body == (await live.api.get(f"/v1/approvals/{id_}")).json()
    await fits_the_api(live, "get", "/v1/approvals", listed.body)
    await fits_the_api(live, "get", "/v1/approvals/{approval_id}", shown.body)

    denied = await shell.run("approvals", "deny", id_, "--yes", "--json")
    await fits_the_api(live, "post", "/v1/approvals/{approval_id}/decide", denied.body)
    assert denied.body["verdict"] == "denied"
    assert "amount  20" in denied.err


async def test_a_verdict_is_bound_to_the_arguments_that_were_shown(live: World, shell: Terminal) -> None:
    await live.say("refund 20 to Ada")
    approval = await live.pending_approval()
    live.sql.execute("update approvals set arguments = '{\"amount\": 9000}' where tenant_id = %s and id = %s", (live.tenant, approval["id"]))

    refused = await shell.run("approvals", "approve", approval["id"], "--yes")

    assert (refused.code, refused.err) == (1, "The arguments are not those you were shown; look at the approval again.\n")


async def test_waiting_tells_the_verdict_by_its_exit_code(live: World, shell: Terminal) -> None:
    asked = (await live.api.post("/v1/approvals", json={"action": "deploy", "allow_self": True})).json()

    early = await shell.run("approvals", "wait", asked["id"], "--timeout", "0s")
    assert (early.code, early.out) == (4, "")

    waiting = asyncio.create_task(shell.run("approvals", "wait", asked["id"]))
    await asyncio.sleep(1)
    await live.api.post(f"/v1/approvals/{asked['id']}/decide", json={"verdict": "denied", "comment": "no"})
    ended = await waiting
    assert (ended.code, ended.out, ended.err) == (3, "denied by admin, just now: no\n", "")


async def test_what_strangers_wrote_cannot_reach_the_terminal(live: World, shell: Terminal) -> None:
    asked = {"action": "run\x1b[2J\nstate  approved", "arguments": {"cmd": "rm \u202efr-\x9b31m"}, "context": "\x1b]0;owned\x07 see"}
    id_ = (await live.api.post("/v1/approvals", json=asked)).json()["id"]

    shown, listed = await asyncio.gather(shell.run("approvals", "show", id_), shell.run("approvals", "list"))

    for ran in (shown, listed):
        assert not set(ran.out) & set("\x1b\x07\x9b\u202e")
    assert r'"rm \u202efr-\u009b31m"' in shown.out
    assert shown.lines[0].startswith("run\ufffd[2J state approved")
