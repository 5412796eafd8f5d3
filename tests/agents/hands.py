"""Hands for tests: the effects of tools are written down instead of stored."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from agents import Effects, Hands
from tests.agents.looks import NOW


@dataclass
class Written:
    """Effects that remember what was asked of them."""

    lines: list[tuple[Any, ...]] = field(default_factory=list)

    async def remember(self, key: str, value: Any) -> None:
        self.lines.append(("remember", key, value))

    async def set_plan(self, items: list[str]) -> None:
        self.lines.append(("set_plan", items))

    async def check_plan(self, index: int) -> None:
        self.lines.append(("check_plan", index))

    async def follow_up(self, at: datetime, note: str) -> None:
        self.lines.append(("follow_up", at, note))

    async def refund(self, amount: float, to: str) -> None:
        self.lines.append(("refund", amount, to))


def hands(effects: Effects | None = None) -> Hands:
    """Hands of one session."""
    return Hands(tenant_id="ten_1", session_id="ses_1", conversation_id="con_1", idempotency_key="cal_1", now=NOW, effects=effects)
