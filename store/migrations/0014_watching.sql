-- What somebody who watches from outside is told: in which trace a message arrived, and how much waits altogether.

-- The trace as W3C's `traceparent`: ids only, and null unless traces are on. Here, since a session that already runs cannot learn it from a
-- poke, which may be lost. Whoever stores a message names it for the transaction, so no function had to change.
alter table messages add column traceparent text default nullif(current_setting('app.traceparent', true), '');

-- The fifth way past a tenant: counts and ages over all of them, and neither an id nor a word. Its owner sees the columns that are counted by.
create type figures as (unanswered bigint, oldest_unanswered double precision, parked bigint, unknown bigint,
                        approvals bigint, oldest_approval double precision, oldest_promise double precision);
grant select (tenant_id, conversation_id, kind, state, due_at, accepted_at) on messages to switchboard_resolver;
create policy resolver on messages for select to switchboard_resolver using (true);
grant select (id, session_id, handed_off_to) on conversations to switchboard_resolver;
grant select (id) on sessions to switchboard_resolver;
grant select (created_at) on approvals to switchboard_resolver;

grant create on schema public to switchboard_resolver;
create function figures_of_all() returns figures language sql stable security definer set search_path = pg_catalog, public, pg_temp as $$
  with unanswered as (
    select greatest(m.accepted_at, m.due_at) as since
      from messages m join conversations c on c.tenant_id = m.tenant_id and c.id = m.conversation_id
      left join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id
     where m.state = 'pending' and m.kind in ('text', 'note') and m.due_at <= statement_timestamp()
       and c.handed_off_to is null and coalesce(s.life, 'open') not in ('suspended', 'handed_off')
  ), promised as (
    select wake_at from sessions where wake_at < statement_timestamp() and life <> 'closed'
    union all select wake_at from conversations where wake_at < statement_timestamp()
    union all select wake_at from approvals where wake_at < statement_timestamp()
  )
  select row(u.n, u.oldest, m.parked, m.unknown, a.n, a.oldest, p.oldest)::figures
    from (select count(*) as n, coalesce(extract(epoch from statement_timestamp() - min(since)), 0)::float8 as oldest from unanswered) u,
         (select count(*) filter (where state = 'parked') as parked, count(*) filter (where state = 'unknown') as unknown
            from messages where state in ('unknown', 'parked')) m,
         (select count(*) as n, coalesce(extract(epoch from statement_timestamp() - min(created_at)), 0)::float8 as oldest
            from approvals where state = 'pending') a,
         (select coalesce(extract(epoch from statement_timestamp() - min(wake_at)), 0)::float8 as oldest from promised) p
$$;
alter function figures_of_all owner to switchboard_resolver;
revoke create on schema public from switchboard_resolver;
revoke all on function figures_of_all from public;
grant execute on function figures_of_all to switchboard_app;
