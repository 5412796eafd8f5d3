"""Conversations over HTTP: read, written in, admitted or refused; and what a member decides about a send that is not certain."""

from typing import Any

from tests.api.conftest import Hook, Receiver
from tests.world import World


async def _held(live: World, chat: str = "bob") -> str:
    query = "select id from conversations where tenant_id = %s and chat = %s and state = 'held' and wake_at is null"
    return str((await live.until(query, chat))["id"])


async def _messages(live: World, conversation: str, **filters: Any) -> list[dict[str, Any]]:
    return list((await live.api.get(f"/v1/conversations/{conversation}/messages", params=filters)).json()["items"])


async def test_an_unknown_peer_is_held_until_the_owner_admits_him(hook: Hook, live: World, receiver: Receiver) -> None:
    await hook.write("echo first", sender_name="Bob")
    await hook.write("echo second", id_="2")
    conversation = await _held(live)
    assert [message["state"] for message in await _messages(live, conversation)] == ["held", "held"]

    admitted = await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})

    assert admitted.status_code == 200
    assert [call["text"] for call in await receiver.has(2)] == ["first", "second"]
    person = (await live.api.get("/v1/people", params={"tier": "admitted"})).json()["items"][0]
    assert (person["name"], person["peers"]) == ("Bob", [{"account_id": hook.account["id"], "external_id": "bob", "name": "Bob"}])
    await hook.write("echo third", id_="3", thread="elsewhere")
    third = (await receiver.has(3))[-1]
    assert (third["chat"], third["thread"], third["text"]) == ("bob", "elsewhere", "third")


async def test_what_was_refused_stays_refused_until_it_is_admitted(hook: Hook, live: World, receiver: Receiver) -> None:
    await hook.write("echo please")
    conversation = await _held(live)

    refused = await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "refuse"})
    await hook.write("echo again", id_="2")
    await live.until("select 1 from messages where tenant_id = %s and seq = 2 and state = 'refused'")

    assert refused.json()["state"] == "refused"
    assert [message["state"] for message in await _messages(live, conversation)] == ["refused", "refused"]
    await live.api.post(f"/v1/conversations/{conversation}/admit", json={"verdict": "admit"})
    await hook.write("echo at last", id_="3")
    assert [call["text"] for call in await receiver.has(1)] == ["at last"]
    actions = [row["action"] for row in (await live.api.get("/v1/audit", params={"subject": conversation})).json()["items"]]
    assert actions == ["conversation.admit", "conversation.refuse"]


async def test_a_settled_conversation_cannot_be_refused(live: World) -> None:
    accepted = await live.write("echo hi")
    await live.answer(accepted)

    refused = await live.api.post(f"/v1/conversations/{accepted.conversation_id}/admit", json={"verdict": "refuse"})

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")


async def test_conversations_are_listed_by_state_account_and_session(hook: Hook, live: World) -> None:
    settled = await live.write("echo hi")
    await live.answer(settled)
    await hook.write("echo wait")
    held = await _held(live)

    async def listed(**filters: str) -> list[str]:
        return [item["id"] for item in (await live.api.get("/v1/conversations", params=filters)).json()["items"]]

    seen = (await live.api.get(f"/v1/conversations/{settled.conversation_id}")).json()
    assert await listed() == [held, settled.conversation_id]
    assert await listed(state="held") == await listed(account_id=hook.account["id"]) == [held]
    assert await listed(session_id=seen["session_id"]) == [settled.conversation_id]
    assert seen["address"] == {"account_id": live.account, "chat": "visitor", "thread": ""}
    assert (seen["peer"], seen["last_seq"], seen["state"]) == ("visitor", 2, "settled")


async def test_messages_are_read_page_by_page_and_by_state_and_direction(live: World) -> None:
    for n in range(3):
        await live.say(f"echo {n}")
    conversation = (await live.api.get("/v1/conversations")).json()["items"][0]["id"]
    first = (await live.api.get(f"/v1/conversations/{conversation}/messages", params={"limit": 4})).json()
    rest = (await live.api.get(f"/v1/conversations/{conversation}/messages", params={"cursor": first["next"]})).json()

    assert [message["seq"] for message in first["items"] + rest["items"]] == [1, 2, 3, 4, 5, 6]
    assert (first["next"], rest["next"]) == ("4", None)
    assert [message["seq"] for message in await _messages(live, conversation, after=3, direction="inbound")] == [5]
    assert [message["text"] for message in await _messages(live, conversation, state="sent")] == ["0", "1", "2"]
    assert first["items"][0]["answered_by"] == first["items"][1]["id"]


async def test_a_members_words_are_delivered_in_order(hook: Hook, live: World, receiver: Receiver) -> None:
    await hook.write("echo wait")
    conversation = await _held(live)

    said = await live.api.post(f"/v1/conversations/{conversation}/messages", json={"text": "Just a moment."})
    too_long = await live.api.post(f"/v1/conversations/{conversation}/messages", json={"text": "x" * 4001})

    assert (said.status_code, said.json()["direction"], said.json()["sender"], said.json()["seq"]) == (201, "outbound", live.member.id, 2)
    assert [(call["text"], call["message_id"]) for call in await receiver.has(1)] == [("Just a moment.", said.json()["id"])]
    assert (too_long.status_code, too_long.json()["field"]) == (422, "text")


async def test_a_members_words_in_a_closed_sessions_conversation_are_delivered_too(hook: Hook, live: World, receiver: Receiver) -> None:
    await live.api.patch(f"/v1/accounts/{hook.account['id']}", json={"admission": "open"})
    await hook.write("echo hi")
    await receiver.has(1)
    conversation = (await live.api.get("/v1/conversations", params={"account_id": hook.account["id"]})).json()["items"][0]
    await live.api.post(f"/v1/sessions/{conversation['session_id']}/close")

    await live.api.post(f"/v1/conversations/{conversation['id']}/messages", json={"text": "One more thing."})

    assert [call["text"] for call in await receiver.has(2)] == ["hi", "One more thing."]


async def _uncertain(hook: Hook, live: World, receiver: Receiver, state: str = "unknown") -> str:
    """A member's message whose send nobody is sure of."""
    await hook.write("echo wait")
    conversation = await _held(live)
    said = (await live.api.post(f"/v1/conversations/{conversation}/messages", json={"text": "Sure?"})).json()
    await receiver.has(1)
    await live.until("select 1 from messages where tenant_id = %s and id = %s and state = 'sent'", said["id"])
    live.sql.execute("update messages set state = %s, sent_at = null where tenant_id = %s and id = %s", (state, live.tenant, said["id"]))
    return str(said["id"])


async def test_an_uncertain_send_is_sent_again_once_with_a_label(hook: Hook, live: World, receiver: Receiver) -> None:
    message = await _uncertain(hook, live, receiver)

    again = await live.api.post(f"/v1/messages/{message}/resend")
    twice = await live.api.post(f"/v1/messages/{message}/resend")

    assert (again.status_code, again.json()["resend_of"], again.json()["text"]) == (200, message, "Sure?")
    assert twice.status_code == 409
    assert (await receiver.has(2))[1]["message_id"] == again.json()["id"]
    assert receiver.taken[1]["text"].endswith("\nSure?")


async def test_an_uncertain_send_is_marked_or_dropped(hook: Hook, live: World, receiver: Receiver) -> None:
    message = await _uncertain(hook, live, receiver, "parked")

    marked = await live.api.post(f"/v1/messages/{message}/mark-sent")
    too_late = await live.api.post(f"/v1/messages/{message}/drop")
    live.sql.execute("update messages set state = 'unknown' where tenant_id = %s and id = %s", (live.tenant, message))
    dropped = await live.api.post(f"/v1/messages/{message}/drop")

    assert (marked.json()["state"], marked.json()["sent_at"] is not None) == ("sent", True)
    assert (too_late.status_code, too_late.json()["code"]) == (409, "conflict")
    assert (dropped.json()["state"], dropped.json()["error"]) == ("failed", "dropped by a member")


async def test_a_parked_message_is_taken_up_again(live: World) -> None:
    message = await live.write("echo hi")
    await live.answer(message)
    live.sql.execute("update messages set state = 'parked', answered_by = null where tenant_id = %s and id = %s", (live.tenant, message.message_id))

    again = await live.api.post(f"/v1/messages/{message.message_id}/resend")

    assert (again.status_code, again.json()["id"]) == (200, message.message_id)
    assert await live.answer(message) == "hi"
