"""Routing: the decision about an undecided conversation, made once per look and written down."""

from temporalio import activity

from activities import Wakes
from activities.errors import edge
from domain.progress import ConversationRef, Routed
from domain.routing import Leave, Settle, decide_route, stays
from store import routing
from store.notices import Notices
from store.pool import Database
from store.routing import Undecided


class Routing:
    """The activity of a conversation's route."""

    def __init__(self, db: Database, inbox: Wakes, notices: Notices) -> None:
        self._db, self._inbox, self._notices = db, inbox, notices

    @activity.defn(name="route")
    @edge
    async def route(self, ref: ConversationRef) -> Routed:
        """Settles the conversation, or leaves it held, unbound or refused, in order and without losing what comes meanwhile."""
        async with self._db.transaction(ref.tenant) as tx:
            look = await routing.look(tx, ref.conversation)
        if look is None:
            return Routed(outcome="gone", why="the conversation is gone")
        if look.unsent and (look.state != "settled" or look.agent_id is None):
            return Routed(outcome="deliver")
        decided = decide_route(look)
        if look.state == "settled" and stays(look, decided):
            return await self._keep(ref, look)
        match decided:
            case Settle(agent_id=agent):
                session = await routing.settle(self._db, ref.tenant, ref.conversation, agent, promised_at=look.wake_at)
                self._inbox.wake(ref.tenant, "session", session)
                self._notices.tell(ref.tenant, ref.conversation)
                return Routed(outcome="settled", why=f"to {session}" if session else "to its session")
            case Leave(state=state, why=why):
                left = await routing.leave_undecided(self._db, ref.tenant, ref.conversation, state, look.last_seq, look.wake_at)
                self._notices.tell(ref.tenant, ref.conversation)
                return Routed(outcome=state if left else "again", why=why)

    async def _keep(self, ref: ConversationRef, look: Undecided) -> Routed:
        async with self._db.transaction(ref.tenant) as tx:
            await routing.keep(tx, ref.conversation, look.wake_at)
        return Routed(outcome="settled", why="it belongs to a session")
