"""A tenant with one of everything that an address can name; made anew for a request that may use it up."""

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from domain.roles import RANK
from tests.world import World

MARK = "nobody-elses-business"
"""Stands in every text of a stocked tenant: an answer to another tenant may not hold it."""
_numbers = itertools.count(1)

BODIES: dict[str, Any] = {
    "create_account": lambda: {"channel": "webchat", "name": _name()},
    "change_account": lambda: {"name": _name()},
    "create_binding": lambda: {"agent": "demo", "chat": _name()},
    "change_binding": lambda: {"chat": _name()},
    "create_agent": lambda: {"name": _name()},
    "change_agent": lambda: {"persona": _name()},
    "test_agent": lambda: {"text": f"echo {MARK}"},
    "create_session": lambda: {"agent": "demo"},
    "change_session": lambda: {"context": {"note": MARK}},
    "send_to_session": lambda: {"text": f"echo {MARK}"},
    "send_message": lambda: {"text": MARK},
    "admit_conversation": lambda: {"verdict": "admit"},
    "create_approval": lambda: {"action": MARK},
    "decide_approval": lambda: {"verdict": "approved"},
    "create_key": lambda: {"name": _name(), "role": "customer_operator"},
}
"""A body that each operation accepts; an operation that is not here needs none."""


def _name() -> str:
    return f"{MARK} {next(_numbers)}"


class Stock:
    """One tenant's things, by the name that a path gives their id."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._kept: dict[str, str] = {}
        self._makers: dict[str, Callable[[str], Awaitable[str]]] = {
            "account_id": self._account,
            "agent_id": self._agent,
            "approval_id": self._approval,
            "binding_id": self._binding,
            "conversation_id": self._conversation,
            "key_id": self._key,
            "message_id": self._message,
            "session_id": self._session,
        }

    async def fresh(self, named: str, operation: str) -> str:
        """The id of a new thing that the operation can be carried out on."""
        return await self._makers[named](operation)

    async def kept(self, named: str) -> str:
        """The id of a thing that is refused to whoever asks, so that it is there for the next one too."""
        if named not in self._kept:
            self._kept[named] = await self.fresh(named, "")
        return self._kept[named]

    async def _made(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = await self._world.api.post(path, json=body)
        assert answer.is_success, answer.text
        return dict(answer.json())

    async def _account(self, _: str) -> str:
        return str((await self._made("/v1/accounts", BODIES["create_account"]()))["id"])

    async def _agent(self, _: str) -> str:
        return str((await self._made("/v1/agents", BODIES["create_agent"]()))["id"])

    async def _binding(self, _: str) -> str:
        return str((await self._made("/v1/bindings", BODIES["create_binding"]()))["id"])

    async def _key(self, _: str) -> str:
        return str((await self._made("/v1/keys", BODIES["create_key"]()))["id"])

    async def _approval(self, _: str) -> str:
        asked = {"action": MARK, "arguments": {"note": MARK}, "approvers": list(RANK), "allow_self": True}
        return str((await self._made("/v1/approvals", asked))["id"])

    async def _session(self, operation: str) -> str:
        made = await self._made("/v1/sessions", {"agent": "demo", "input": f"echo {MARK}"})
        if operation == "resume_session":
            await self._made(f"/v1/sessions/{made['id']}/suspend", {})
        return str(made["id"])

    async def _conversation(self, operation: str) -> str:
        if operation == "admit_conversation":
            return await self._held()
        return str((await self._made("/v1/sessions", {"agent": "demo", "input": f"echo {MARK}"}))["conversation_id"])

    async def _held(self) -> str:
        """A conversation that waits for the owner's word."""
        account = (await self._made("/v1/accounts", {"channel": "webchat", "name": _name(), "admission": "ask"}))["id"]
        written = await self._world.parts.inbox.accept(self._world.inbound(MARK, chat=_name(), account=account))
        return str((await self._world.until("select id from conversations where tenant_id = %s and id = %s", written.conversation_id))["id"])

    async def _message(self, _: str) -> str:
        """A message of which nobody knows whether it arrived."""
        conversation = await self._conversation("")
        sent = await self._made(f"/v1/conversations/{conversation}/messages", {"text": MARK})
        self._world.sql.execute("update messages set state = 'unknown' where tenant_id = %s and id = %s", (self._world.tenant, sent["id"]))
        return str(sent["id"])
