-- What members do: sessions of their own, letting people in, removing accounts and what a session holds.

-- An answer that is kept for an Idempotency-Key may hold a secret, so it is sealed.
-- `first_at` is when the key was first used, `created_at` when the request was last taken on.
alter table idempotency drop column body, add column sealed bytea, add column first_at timestamptz not null default clock_timestamp();
drop index idempotency_by_age;
create index idempotency_by_age on idempotency (tenant_id, first_at);
create index requests_by_time on requests (tenant_id, at);
create index conversations_by_peer on conversations (tenant_id, account_id, peer);

-- closed > suspended, handed_off > active (an open turn, or something due) > awaiting_approval > idle.
create function phase_of(s sessions) returns text language sql stable as $$
  select case
    when s.life <> 'open' then s.life
    when s.step > 0 or exists (
      select from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
       where c.tenant_id = s.tenant_id and c.session_id = s.id and m.due_at <= statement_timestamp()) then 'active'
    when exists (select from approvals a where a.tenant_id = s.tenant_id and a.session_id = s.id and a.state = 'pending') then 'awaiting_approval'
    else 'idle' end
$$;

create type started as (session_id text, conversation_id text, message_id text, seq bigint, wake text);

-- The account that sessions started over the API belong to; made when the first of them is.
create function api_account(p_tenant text, p_new text) returns text language plpgsql as $$
declare found_id text;
begin
  select id into found_id from accounts where tenant_id = p_tenant and channel = 'api' order by id limit 1;
  if found_id is not null then return found_id; end if;
  insert into accounts (tenant_id, id, channel, name, state, admission) values (p_tenant, p_new, 'api', 'api', 'connected', 'open')
    on conflict (tenant_id, name) do nothing;
  select id into found_id from accounts where tenant_id = p_tenant and channel = 'api' order by id limit 1;
  if found_id is not null then return found_id; end if;
  insert into accounts (tenant_id, id, channel, name, state, admission) values (p_tenant, p_new, 'api', p_new, 'connected', 'open');
  return p_new;
end $$;

-- A session of its own with a settled conversation and, where there is an input, its first message. The same scope while it is open is the
-- same session. All null: there is no such agent.
create function start_session(p_tenant text, p_agent text, p_mode text, p_scope text, p_input text, p_member text,
                              p_account text, p_session text, p_conversation text, p_message text) returns started language plpgsql as $$
declare
  agent text;
  s sessions;
  c conversations;
  got accepted;
  via text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select id into agent from agents where tenant_id = p_tenant and p_agent in (id, name) order by id <> p_agent limit 1;
  if agent is null then return null; end if;
  via := api_account(p_tenant, p_account);
  insert into sessions (tenant_id, id, agent_id, mode, scope)
    select p_tenant, p_session, id, coalesce(p_mode, mode), p_scope from agents where tenant_id = p_tenant and id = agent
    on conflict (tenant_id, agent_id, scope) where life <> 'closed' do nothing;
  select * into s from sessions where tenant_id = p_tenant and agent_id = agent and scope = p_scope and life <> 'closed';
  insert into conversations (tenant_id, id, account_id, chat, peer, state, session_id) values (p_tenant, p_conversation, via, s.id, p_member, 'settled', s.id)
    on conflict (tenant_id, account_id, chat, thread) do nothing;
  select * into c from conversations where tenant_id = p_tenant and account_id = via and chat = s.id and thread = '' for no key update;
  if p_input is not null then
    got := append_inbound(c, p_message, 'text', jsonb_build_array('start', s.id)::text, p_member, p_input, '{}', clock_timestamp(), null);
  end if;
  return (s.id, c.id, got.message_id, got.seq, got.wake)::started;
end $$;

-- The owner's word on whoever writes here. Admitted: the person behind the peer is, and what was held is routed. Refused: so is what comes.
create function admit(p_tenant text, p_conversation text, p_verdict text, p_person text, p_member text) returns text language plpgsql as $$
declare
  c conversations;
  who text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation;
  if c.id is null then return 'not_found'; end if;
  perform from conversations where tenant_id = p_tenant and account_id = c.account_id and peer = c.peer order by id for no key update;
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation;
  if c.peer = '' or (p_verdict = 'refuse' and c.state = 'settled') then return 'conflict'; end if;
  insert into audit (tenant_id, actor, action, subject, details) values (p_tenant, p_member, 'conversation.' || p_verdict, c.id, jsonb_build_object('peer', c.peer));
  if p_verdict = 'refuse' then
    update messages set state = 'refused' where tenant_id = p_tenant and conversation_id = c.id and state = 'held';
    update conversations set state = 'refused', wake_at = null, wakes = 0, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
    return 'refused';
  end if;
  insert into peers (tenant_id, account_id, external_id) values (p_tenant, c.account_id, c.peer) on conflict do nothing;
  select person_id into who from peers where tenant_id = p_tenant and account_id = c.account_id and external_id = c.peer for no key update;
  if who is null then
    insert into people (tenant_id, id, name, tier) select p_tenant, p_person, name, 'admitted' from peers
     where tenant_id = p_tenant and account_id = c.account_id and external_id = c.peer;
    update peers set person_id = p_person where tenant_id = p_tenant and account_id = c.account_id and external_id = c.peer;
  else
    update people set tier = 'admitted' where tenant_id = p_tenant and id = who and tier in ('guest', 'blocked');
  end if;
  update conversations set state = 'undecided', wake_at = clock_timestamp(), wakes = 0, updated_at = clock_timestamp()
   where tenant_id = p_tenant and account_id = c.account_id and peer = c.peer and (state in ('held', 'undecided') or (id = c.id and state <> 'settled'));
  return 'admitted';
end $$;

-- Removes an account with its conversations, after their sessions are closed. Returns the approvals that ended so; null: no such account.
-- These rows go, so their locks are FOR UPDATE: nobody may come to refer to them.
create function remove_account(p_tenant text, p_account text) returns text[] language plpgsql as $$
declare
  s sessions;
  here text[];
  asked text[];
begin
  perform set_config('app.tenant_id', p_tenant, true);
  perform from accounts where tenant_id = p_tenant and id = p_account for update;
  if not found then return null; end if;
  here := array(select id from conversations where tenant_id = p_tenant and account_id = p_account order by id for update);
  perform from sessions where tenant_id = p_tenant and id in (
    select unnest(array[session_id, next_session_id]) from conversations where tenant_id = p_tenant and id = any (here)) order by id for no key update;
  asked := array(select id from approvals where tenant_id = p_tenant and state = 'pending' and conversation_id = any (here));
  for s in select * from sessions where tenant_id = p_tenant and life <> 'closed' and id in (
             select unnest(array[session_id, next_session_id]) from conversations where tenant_id = p_tenant and id = any (here)) loop
    if not exists (select from conversations where tenant_id = p_tenant and s.id in (session_id, next_session_id) and account_id <> p_account) then
      perform close_locked(p_tenant, s.id, 'member');
    elsif s.turn_conversation_id = any (here) then
      update sessions set turn = turn + 1, step = 0, turn_conversation_id = null, turn_upto = null where tenant_id = p_tenant and id = s.id;
    end if;
  end loop;
  delete from accounts where tenant_id = p_tenant and id = p_account;
  return asked;
end $$;

-- Removes what a session holds and closes it; the row, what was audited and the shape of the conversation stay. Returns the approvals that
-- ended so; null: no such session.
create function erase_session(p_tenant text, p_session text, p_member text) returns text[] language plpgsql as $$
declare
  s sessions := lock_session(p_tenant, p_session);
  asked text[];
begin
  if s.id is null then return null; end if;
  asked := array(select id from approvals where tenant_id = p_tenant and session_id = p_session and state = 'pending');
  if s.life <> 'closed' then perform close_locked(p_tenant, p_session, 'member'); end if;
  update messages m set text = '', payload = '{}', error = null
    from conversations c
   where m.tenant_id = p_tenant and c.tenant_id = p_tenant and c.id = m.conversation_id
     and (m.session_id = p_session or (m.session_id is null and c.session_id = p_session));
  delete from drafts where tenant_id = p_tenant and conversation_id in (select id from conversations where tenant_id = p_tenant and session_id = p_session);
  delete from calls where tenant_id = p_tenant and session_id = p_session;
  delete from approvals where tenant_id = p_tenant and session_id = p_session;
  delete from steps where tenant_id = p_tenant and session_id = p_session;
  delete from requests where tenant_id = p_tenant and session_id = p_session;
  update sessions set context = '{}', plan = '[]', version = version + 1 where tenant_id = p_tenant and id = p_session;
  insert into audit (tenant_id, actor, action, subject) values (p_tenant, p_member, 'session.removed', p_session);
  return asked;
end $$;
