"""Deliver: one commit before the wire and one after it, lowest unsent first, honest about what is not certain."""

from collections.abc import Mapping
from datetime import timedelta

import structlog
from temporalio import activity
from temporalio.exceptions import ApplicationError

import traces
from activities.beats import beating, paid_for
from activities.errors import edge, translated
from channels import AccountSeen, Channel, Outgoing, ReadsBack
from domain.errors import SendFailed, SendRefused, SendUncertain, SwitchboardError
from domain.messages import Sending
from domain.progress import ConversationRef
from store import accounts, messages
from store import traces as traces_of
from store.notices import Notices
from store.pool import Database
from store.seal import Seal
from texts import text

log = structlog.get_logger()
TRIES = 4
"""The first try and three more; then a message is parked."""
PAUSES = (2.0, 8.0, 30.0)
"""Seconds before the second, third and fourth try of a message, where the channel does not say."""
SHORTEST_PAUSE = 0.1
TAKEN_OVER_PAUSE = 2.0
"""Seconds that an attempt that was overtaken leaves to the one that overtook it."""
TOO_OLD = timedelta(hours=24)


class Messages:
    """The deliver activity."""

    def __init__(self, db: Database, notices: Notices, seal: Seal, channels: Mapping[str, Channel]) -> None:
        self._db, self._notices, self._seal, self._channels = db, notices, seal, channels

    @activity.defn(name="deliver")
    @edge
    async def deliver(self, ref: ConversationRef) -> str:
        """Sends what a conversation has not sent, in order. Raises SendFailed to be tried again; everything else is written down."""
        sent = 0
        async with beating():
            while True:
                sending = await messages.begin_send(self._db, ref.tenant, ref.conversation)
                if sending.status == "none" or not sending.account_id:
                    return f"{sent} sent"
                await self._deliver_one(ref, sending)
                sent += 1
                self._notices.tell(ref.tenant, ref.conversation)

    async def _deliver_one(self, ref: ConversationRef, sending: Sending) -> None:
        origins = await traces_of.of_message(self._db, ref.tenant, sending.message_id or "") if traces.are_on() else ()
        with traces.span("deliver", "consumer", origins=origins) as mark:
            mark.tell(tenant=ref.tenant, account=sending.account_id, conversation=ref.conversation)
            mark.tell(message=sending.message_id, attempt=sending.attempt)
            await self._one(ref, sending)

    async def _one(self, ref: ConversationRef, sending: Sending) -> None:
        async with self._db.transaction(ref.tenant) as tx:
            account = await accounts.one(tx, sending.account_id or "")
        channel = self._channels.get(account.channel) if account else None
        if account is None or channel is None:
            await self._end(ref, sending, "parked", error="the account or its channel is gone")
            return
        try:
            seen = AccountSeen(tenant_id=ref.tenant, id=account.id, settings=account.settings, secrets=self._seal.open(account.sealed))
            if not await self._settled_before(ref, sending, seen, channel):
                receipt = await channel.send(seen, _outgoing(sending))
                await self._end(ref, sending, "sent", receipt=receipt.id)
        except SendRefused as error:
            await self._end(ref, sending, "failed", error=error.detail)
        except SendUncertain as error:
            if not channel.recognises_repeats(seen):
                await self._end(ref, sending, "unknown", error=error.detail)
            else:
                await self._again(ref, sending, SendFailed(error.detail, retry_after=error.retry_after))
        except SendFailed as error:
            await self._again(ref, sending, error)
        except SwitchboardError as error:
            if error.retryable:
                raise
            await self._end(ref, sending, "parked", error=error.detail)
        except ApplicationError:
            raise
        except Exception as error:
            log.exception("send.failed", message=sending.message_id)
            if (sending.attempt or 1) < TRIES:
                raise
            await self._end(ref, sending, "parked", error=f"the channel's adapter failed ({type(error).__name__})")

    async def _settled_before(self, ref: ConversationRef, sending: Sending, seen: AccountSeen, channel: Channel) -> bool:
        """Whether a broken earlier attempt leaves nothing to send: it is read back, or only a member can decide."""
        if sending.status == "first" or channel.recognises_repeats(seen):
            return False
        if isinstance(channel, ReadsBack):
            receipt = await channel.find(seen, _outgoing(sending))
            if receipt:
                await self._end(ref, sending, "sent", receipt=receipt.id)
            return receipt is not None
        await self._end(ref, sending, "unknown", error="an attempt broke off; the channel cannot say whether it arrived")
        return True

    async def _again(self, ref: ConversationRef, sending: Sending, error: SendFailed) -> None:
        """Not taken this time: tried again by Temporal, until the tries are spent or the message is too old."""
        after = error.retry_after if error.retry_after is not None else PAUSES[min(sending.attempt or 1, len(PAUSES)) - 1]
        old = sending.accepted_at and sending.began_at and sending.began_at + timedelta(seconds=after) - sending.accepted_at > TOO_OLD
        if old or (sending.attempt or 1) >= TRIES:
            await self._end(ref, sending, "parked", error=error.detail)
            return
        await self._end(ref, sending, "intent", error=error.detail)
        raise translated(SendFailed(error.detail, retry_after=max(SHORTEST_PAUSE, after)))

    async def _end(self, ref: ConversationRef, sending: Sending, state: str, *, receipt: str | None = None, error: str | None = None) -> None:
        """Writes down what came of it. Raises, to look again in a moment, when another attempt has taken over: going on at once would take the
        message from that one, which would take it back, and it would be sent again each time."""
        ours = await paid_for(
            lambda: messages.end_send(self._db, ref.tenant, sending.message_id or "", sending.attempt or 0, state, receipt=receipt, error=error)
        )
        if not ours:
            raise translated(SendFailed("Another attempt has taken over.", retry_after=TAKEN_OVER_PAUSE))
        if state in ("failed", "unknown", "parked"):
            log.warning("send.not_certain", message=sending.message_id, state=state)


def _outgoing(sending: Sending) -> Outgoing:
    return Outgoing(
        message_id=sending.message_id or "",
        chat=sending.chat or "",
        thread=sending.thread or "",
        text=sending.text or "",
        label=text("may-be-repeated") if sending.resend_of else "",
    )
