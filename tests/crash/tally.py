"""What a person could complain about, counted: what is lost, said twice without a label, out of order, or done twice."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Protocol

from tests.crash.caller import Caller
from tests.crash.stack import PATIENCE, Stack
from tests.crash.visitor import Visitor

SENT = ("sent", "delivered", "read")
LABEL = "(This may be a repetition"


class Person(Protocol):
    """Somebody who writes, whatever is killed meanwhile."""

    @property
    def heard(self) -> set[str]:
        """The messages that reached this person."""

    async def write(self, text: str) -> Any:
        """Writes a message; returns at once."""

    async def all_accepted(self) -> list[str]:
        """Waits until all that was written has been taken. Returns the messages' ids."""

    async def stop(self) -> None:
        """Leaves."""


@dataclass
class Tally:
    """Counts over one or many conversations; `waits` are the seconds from accepting a message to its answer."""

    accepted: int = 0
    answered: int = 0
    duplicates: int = 0
    order_breaks: int = 0
    effects_twice: int = 0
    waits: list[float] = field(default_factory=list)

    @property
    def lost(self) -> int:
        """What was accepted and never answered."""
        return self.accepted - self.answered

    @property
    def clean(self) -> bool:
        """Whether nobody has a reason to complain."""
        return not (self.lost or self.duplicates or self.order_breaks or self.effects_twice)

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.accepted + other.accepted, self.answered + other.answered, self.duplicates + other.duplicates,
            self.order_breaks + other.order_breaks, self.effects_twice + other.effects_twice, self.waits + other.waits,
        )  # fmt: skip


async def tally(stack: Stack, person: Person, effects: Iterable[str] = ()) -> Tally:
    """What became of everything that one person wrote; `effects` are calls, each as often as it took effect outside."""
    ids = await person.all_accepted()
    rows = await asyncio.to_thread(
        stack.rows, "select * from messages where conversation_id = (select conversation_id from messages where id = %s) order by seq", ids[0]
    )
    paid = await asyncio.to_thread(
        stack.rows, "select call_id from demo_refunds where call_id in (select id from calls where conversation_id = %s)", rows[0]["conversation_id"]
    )
    own = {call["id"] for call in await asyncio.to_thread(stack.rows, "select id from calls where conversation_id = %s", rows[0]["conversation_id"])}
    done = Counter([row["call_id"] for row in paid] + [call for call in effects if call in own])
    counted = weigh(rows, ids, person.heard)
    counted.effects_twice = sum(times - 1 for times in done.values())
    match person:
        case Visitor():
            counted.order_breaks += falls([frame["seq"] for frame in person.seen])
        case Caller():
            arrived(counted, person.texts, {row["id"]: row["seq"] for row in rows})
    return counted


def weigh(rows: Sequence[dict[str, Any]], ids: Sequence[str], heard: set[str]) -> Tally:
    """The rows of one conversation, the ids in it that were acknowledged to the person, and those that reached the person."""
    known, copies = {row["id"]: row for row in rows}, {row["resend_of"]: row for row in rows if row["resend_of"]}
    counted, places = Tally(accepted=len(ids)), []
    for asked in sorted((known[id_] for id_ in set(ids) & known.keys()), key=lambda row: row["seq"]):
        answer = known.get(asked["answered_by"] or "")
        told = next((one for one in (answer, copies.get(asked["answered_by"])) if one and one["state"] in SENT and one["id"] in heard), None)
        if answer and told and asked["state"] == "answered":
            counted.answered += 1
            counted.waits.append((told["sent_at"] - asked["accepted_at"]).total_seconds())
            places.append(answer["seq"])
    answering = {row["answered_by"] for row in rows}
    said = [row for row in rows if row["direction"] == "outbound"]
    counted.duplicates = sum(row["id"] not in answering and not row["resend_of"] for row in said)
    counted.order_breaks = sum(later < earlier for earlier, later in pairwise(places))
    counted.order_breaks += [row["seq"] for row in rows] != list(range(1, len(rows) + 1))
    return counted


def arrived(counted: Tally, texts: Sequence[tuple[str, str]], places: dict[str, int]) -> None:
    """Adds what reached a program that recognises nothing: the same message twice, or without a label behind a later one."""
    plain = [message for message, text in texts if not text.startswith(LABEL)]
    counted.duplicates += len(plain) - len(set(plain))
    counted.order_breaks += falls([places[message] for message in dict.fromkeys(plain)])


def falls(seqs: Sequence[int]) -> int:
    """How often something came that is not behind what came before."""
    return sum(later <= earlier for earlier, later in pairwise(seqs))


async def answered(stack: Stack, people: Sequence[Person]) -> bool:
    """Waits until all that was accepted is answered. False when that did not come true in time; the tally counts what is missing."""
    ends = time.monotonic() + PATIENCE
    for person in people:
        ids = await person.all_accepted()
        while not await _all_told(stack, person, ids):
            if time.monotonic() > ends:
                return False
            await asyncio.sleep(0.1)
    return True


async def _all_told(stack: Stack, person: Person, ids: Sequence[str]) -> bool:
    rows = await asyncio.to_thread(stack.rows, ANSWERS, ids)
    return len(rows) == len(ids) and all(row["told"] in person.heard for row in rows)


async def check(stack: Stack, people: Sequence[Person]) -> None:
    """Waits until all is answered; then nobody may have a reason to complain."""
    await answered(stack, people)
    for person in people:
        counted = await tally(stack, person)
        assert counted.clean, f"{counted}"


ANSWERS = """
select case when o.state in ('sent', 'delivered', 'read') then o.id else copy.id end as told
  from messages m join messages o on o.tenant_id = m.tenant_id and o.id = m.answered_by
  left join messages copy on copy.tenant_id = o.tenant_id and copy.resend_of = o.id and copy.state in ('sent', 'delivered', 'read')
 where m.id = any(%s) and m.state = 'answered'
"""
