"""Approvals: which gate a call meets, who may decide, and the hash that binds a verdict to the exact arguments."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.errors import Invalid
from domain.ids import PREFIXES
from domain.roles import RANK

Gate = Literal["run", "ask", "deny"]
LARGEST_WHOLE = 2**53 - 1
"""The largest whole number that JSON says exactly."""
ROLES_AND_TIERS = frozenset({"owner", "admitted", "guest", *RANK})
_ID = re.compile(f"({'|'.join(PREFIXES)})_[0-9a-z]{{26}}")


class When(BaseModel):
    """A condition on one argument. `above` and `below` compare numbers; `equals` compares JSON values."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    argument: str
    above: float | None = None
    below: float | None = None
    equals: Any = None

    def holds(self, arguments: Mapping[str, Any]) -> bool:
        """Whether the condition is met. What cannot be compared counts as met: a gate fails closed."""
        value = arguments.get(self.argument)
        if self.above is None and self.below is None:
            return bool(value == self.equals)
        if isinstance(value, bool) or not isinstance(value, int | float) or (isinstance(value, float) and not math.isfinite(value)):
            return True
        return (self.above is None or value > self.above) and (self.below is None or value < self.below)


class Rule(BaseModel):
    """One line of an agent's policy for a tool: what happens when it is called. Spans in seconds.

    `approvers` names who may decide: ids of people or members, roles, or `owner`; with `quorum` that many of them, with
    `sequence` all of them in that order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    gate: Gate
    when: When | None = None
    approvers: tuple[str, ...] = ("owner",)
    quorum: int = Field(default=1, ge=1)
    sequence: bool = False
    within: float | None = Field(default=None, gt=0, le=30 * 24 * 3600)
    on_timeout: Literal["deny", "approve", "cancel"] = "deny"
    allow_self: bool = False

    @model_validator(mode="after")
    def _can_be_decided(self) -> "Rule":
        if self.quorum > len(self.approvers) or not self.approvers:
            raise ValueError("the quorum is larger than the number of approvers")
        return self

    def asked(self) -> Mapping[str, Any]:
        """What is stored with a call that is asked about."""
        return {
            "approvers": {"of": list(self.approvers), "quorum": self.quorum, "sequence": self.sequence},
            "asked": _in_words(self.approvers),
            "within": self.within,
            "on_timeout": self.on_timeout,
            "allow_self": self.allow_self,
        }


class ToolUse(BaseModel):
    """A tool an agent may use, with the rules for it; no rules leave the tool's own gate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rules: tuple[Rule, ...] = ()


def _in_words(approvers: Sequence[str]) -> str:
    return " or ".join("the owner" if name == "owner" else name for name in approvers)


def rule_for(use: ToolUse, default: Gate, arguments: Mapping[str, Any], mode: str, plan_approved: bool) -> Rule:
    """The rule a call meets. A rule that denies always wins; else the first whose condition holds, else the mode and the tool's gate.

    Where a tool has rules and none of them holds, it runs. In planning-control every plan is asked about, and nothing else runs before one
    was approved; in hitl-interactive everything is asked about but the checking off of what was done.
    """
    met = [rule for rule in use.rules if rule.when is None or rule.when.holds(arguments)]
    chosen = next((rule for rule in met if rule.gate == "deny"), None) or next(iter(met), None)
    chosen = chosen or Rule(gate="run" if use.rules else default)
    if chosen.gate == "deny":
        return chosen
    if mode == "planning-control" and (use.name == "set_plan" or not plan_approved):
        return chosen.model_copy(update={"gate": "ask" if use.name == "set_plan" else "deny"})
    if mode == "hitl-interactive" and use.name != "check_plan":
        return chosen.model_copy(update={"gate": "ask"})
    return chosen


def arguments_sha256(arguments: Mapping[str, Any]) -> str:
    """The hash that a verdict is bound to: SHA-256 over the canonical JSON of the arguments (RFC 8785), in hex.

    Raises Invalid for what JSON cannot say exactly, such as an integer beyond 2^53.
    """
    try:
        return hashlib.sha256(rfc8785.dumps(dict(arguments))).hexdigest()
    except (rfc8785.CanonicalizationError, TypeError) as error:
        raise Invalid("The arguments hold a value that canonical JSON cannot express.", field="arguments") from error


def are_those_judged(arguments: Mapping[str, Any], sha256: str) -> bool:
    """Whether arguments as they were stored are still those with this hash."""
    try:
        return arguments_sha256({name: _as_given(value) for name, value in arguments.items()}) == sha256
    except Invalid:
        return False


def _as_given(value: Any) -> Any:
    """A stored value with the numbers it had: Postgres gives a large float back as a whole number."""
    match value:
        case bool():
            return value
        case int() if abs(value) > LARGEST_WHOLE:
            return float(value)
        case dict():
            return {name: _as_given(item) for name, item in value.items()}
        case list():
            return [_as_given(item) for item in value]
        case _:
            return value


def named_by_id(approvers: Sequence[str]) -> tuple[str, ...]:
    """The approvers as far as ids, roles and tiers name them: what may be shown where no names of people may be."""
    return tuple(name for name in approvers if name in ROLES_AND_TIERS or _ID.fullmatch(name))


def approvers_of(given: Any) -> Mapping[str, Any]:
    """The stored form of an `approvers` field: a list, {"quorum": n, "of": […]} or {"sequence": […]}. Raises Invalid."""
    match given:
        case list() if given:
            of, quorum, sequence = given, 1, False
        case {"sequence": list(of)} if of:
            quorum, sequence = len(of), True
        case {"quorum": int(quorum), "of": list(of)} if 1 <= quorum <= len(of):
            sequence = False
        case _:
            raise Invalid("Name at least one approver, and a quorum they can reach.", field="approvers")
    if not all(isinstance(name, str) and name for name in of) or len(set(of)) < len(of):
        raise Invalid("Approvers are named by distinct, non-empty words.", field="approvers")
    return {"of": of, "quorum": quorum, "sequence": sequence}
