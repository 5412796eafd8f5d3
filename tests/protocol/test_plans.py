"""No step of a turn reads a whole table: what it costs does not grow with what is stored."""

from tests.protocol.stage import Other, Stage

STORED = 5_000
"""Rows of a kind, each on a page that a plan without the right index would have to read."""
SEEDS = (
    "insert into sessions (tenant_id, id, agent_id, mode, scope, turn) select %(tenant)s, 'ses_p' || n, %(agent)s, 'copilot', 'con_p' || n, 1"
    " from generate_series(1, %(count)s::int) n",
    "insert into conversations (tenant_id, id, account_id, chat, state, session_id, last_seq)"
    " select %(tenant)s, 'con_p' || n, %(account)s, 'p' || n, 'settled', 'ses_p' || n, 1 from generate_series(1, %(count)s::int) n",
    "insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, text, state, session_id, turn)"
    " select %(tenant)s, 'msg_p' || n, 'con_p' || n, %(account)s, 1, 'outbound', 'text', 'said', 'sent', 'ses_p' || n, 1"
    " from generate_series(1, %(count)s::int) n",
    "analyze sessions, conversations, messages",
)
READ = "select relname, seq_scan from pg_stat_xact_user_tables where relname in ('sessions', 'conversations', 'messages', 'events') and seq_scan > 0"


async def read_whole(other: Other) -> list[str]:
    """The tables that were read from end to end in this transaction."""
    return [row["relname"] for row in await (await other.connection.execute(READ)).fetchall()]


async def test_nothing_on_a_messages_way_reads_a_whole_table(stage: Stage) -> None:
    for seed in SEEDS:
        stage.owner.execute(seed.encode(), {"tenant": stage.tenant, "account": stage.account, "agent": stage.one, "count": STORED})
    conversation, session = await stage.settled("first")
    place = await stage.place(session)

    async with stage.other() as other:
        for name, params in (
            ("sessions/look", {"session": session, "batch": 20, "window": 100}),
            ("conversations/of_chat", {"account": stage.account, "chat": "first"}),
            ("messages/for_chat", {"conversation": conversation, "after": 0, "limit": 200}),
            ("approvals/for_chat", {"conversation": conversation}),
            ("messages/draft", {"conversation": conversation}),
            ("sweep/sessions", {"limit": 100}),
            ("sweep/conversations", {"limit": 100}),
            ("sweep/approvals", {"limit": 100}),
        ):
            await other.run(name, **params)
            assert await read_whole(other) == [], name
        await other.accept(stage.inbound("first"))
        assert await read_whole(other) == [], "accept"
        await other.say(place)
        assert await read_whole(other) == [], "the end of a turn"
        await other.run("sessions/rest", session=session)
        assert await read_whole(other) == [], "rest"
        accepted = await other.accept(stage.inbound("second"))
        assert await other.settle(accepted["conversation_id"], stage.one)
        assert await read_whole(other) == [], "settle"
