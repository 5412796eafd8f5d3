"""Who may call what: one table, role × operation. An operation that is not named here is refused."""

from typing import Literal

from domain.messages import Frozen

Role = Literal["platform_admin", "customer_admin", "customer_operator"]
RANK: dict[str, int] = {"customer_operator": 1, "customer_admin": 2, "platform_admin": 3}
"""A higher rank may do what a lower one may."""

LEAST: dict[str, Role] = {
    "list_channels": "customer_operator",
    "list_accounts": "customer_operator",
    "get_account": "customer_operator",
    "list_peers": "customer_operator",
    "create_account": "customer_admin",
    "change_account": "customer_admin",
    "remove_account": "customer_admin",
    "connect_account": "customer_admin",
    "disconnect_account": "customer_admin",
    "list_bindings": "customer_operator",
    "create_binding": "customer_admin",
    "change_binding": "customer_admin",
    "remove_binding": "customer_admin",
    "list_agents": "customer_operator",
    "get_agent": "customer_operator",
    "create_agent": "customer_admin",
    "change_agent": "customer_admin",
    "test_agent": "customer_operator",
    "list_conversations": "customer_operator",
    "get_conversation": "customer_operator",
    "list_messages": "customer_operator",
    "send_message": "customer_operator",
    "admit_conversation": "customer_operator",
    "resend_message": "customer_operator",
    "mark_message_sent": "customer_operator",
    "drop_message": "customer_operator",
    "list_sessions": "customer_operator",
    "create_session": "customer_operator",
    "get_session": "customer_operator",
    "change_session": "customer_operator",
    "remove_session": "customer_admin",
    "session_history": "customer_operator",
    "send_to_session": "customer_operator",
    "suspend_session": "customer_operator",
    "resume_session": "customer_operator",
    "close_session": "customer_operator",
    "cancel_turn": "customer_operator",
    "list_modes": "customer_operator",
    "list_approvals": "customer_operator",
    "get_approval": "customer_operator",
    "approval_stats": "customer_operator",
    "create_approval": "customer_operator",
    "decide_approval": "customer_operator",
    "list_connections": "customer_operator",
    "follow_events": "customer_operator",
    "list_keys": "customer_admin",
    "create_key": "customer_admin",
    "revoke_key": "customer_admin",
    "list_audit": "customer_admin",
    "get_usage": "customer_admin",
    "get_me": "customer_operator",
    "get_status": "customer_operator",
    "list_members": "customer_operator",
    "list_people": "customer_operator",
}


def up_to(role: Role) -> list[str]:
    """The roles that may do no more than this one."""
    return [other for other, rank in RANK.items() if rank <= RANK[role]]


class Member(Frozen):
    """Who calls: a member of a tenant, by key or signed in. `csrf` is empty for a key."""

    tenant_id: str
    member_id: str
    name: str
    role: Role
    identities: tuple[str, ...]
    """What approvals may name this member by: the member's and the person's id, the person's tier, the role."""
    csrf: str = ""
    key_id: str = ""

    def may(self, operation: str) -> bool:
        """Whether the role allows an operation. Unknown operations are nobody's."""
        least = LEAST.get(operation)
        return least is not None and RANK[self.role] >= RANK[least]
