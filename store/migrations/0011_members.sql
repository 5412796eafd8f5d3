-- What members do: sessions of their own, words in a conversation, admitting, deciding about sends, erasing.

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
  select * into c from conversations where tenant_id = p_tenant and account_id = via and chat = s.id and thread = '' for update;
  if p_input is not null then
    got := append_inbound(c, p_message, 'text', jsonb_build_array('start', s.id)::text, p_member, p_input, '{}', clock_timestamp(), null);
  end if;
  return (s.id, c.id, got.message_id, got.seq, got.wake)::started;
end $$;

-- Has something unsent looked after: by the session, or by the conversation's routing where no session is open. Returns which.
create function promise_delivery(c conversations) returns text language plpgsql as $$
begin
  update sessions set wake_at = clock_timestamp() + interval '2 s' where tenant_id = c.tenant_id and id = c.session_id and life <> 'closed';
  if found then return 'session'; end if;
  update conversations set wake_at = clock_timestamp() + interval '2 s' where tenant_id = c.tenant_id and id = c.id;
  return 'routing';
end $$;

create type spoken as (status text, message_id text, wake text, wake_id text);

-- A member's own words in a conversation; with an external id once.
drop function append_outbound;
create function append_outbound(p_tenant text, p_conversation text, p_message text, p_external text, p_text text, p_member text, p_commit_delivers boolean)
returns spoken language plpgsql as $$
declare
  c conversations;
  wake text;
  added text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for update;
  if c.id is null then return ('not_found', null, null, null)::spoken; end if;
  insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, external_id, sender, text, state, session_id, sent_at)
  values (p_tenant, p_message, c.id, c.account_id, c.last_seq + 1, 'outbound', 'text', p_external, p_member, p_text,
          case when p_commit_delivers then 'sent' else 'intent' end, c.session_id, case when p_commit_delivers then clock_timestamp() end)
  on conflict (tenant_id, account_id, external_id) where external_id is not null do nothing
  returning id into added;
  if added is null then
    select id into added from messages where tenant_id = p_tenant and account_id = c.account_id and external_id = p_external;
    return ('repeated', added, null, null)::spoken;
  end if;
  update conversations set last_seq = c.last_seq + 1, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
  if p_commit_delivers then return ('sent', added, null, null)::spoken; end if;
  wake := promise_delivery(c);
  return ('intent', added, wake, case wake when 'session' then c.session_id else c.id end)::spoken;
end $$;

-- Has what came in looked after: by the open session, or by the routing of a conversation that has none. Returns which.
create function promise_look(c conversations) returns text language plpgsql as $$
begin
  if c.state = 'settled' then
    update sessions set wake_at = clock_timestamp() + interval '2 s' where tenant_id = c.tenant_id and id = c.session_id and life <> 'closed';
    if found then return 'session'; end if;
  end if;
  update conversations set state = case state when 'settled' then 'undecided' else state end, session_id = null, wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = c.tenant_id and id = c.id;
  return 'routing';
end $$;

-- What a member decides about a send that is unknown, parked or failed: resend (a labelled copy), mark-sent or drop. A parked inbound
-- message is tried again by the same word.
drop function decide_send;
create function decide_send(p_tenant text, p_message text, p_verb text, p_copy text, p_member text) returns spoken language plpgsql as $$
declare
  m messages;
  c conversations;
  wake text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into m from messages where tenant_id = p_tenant and id = p_message;
  select * into c from conversations where tenant_id = p_tenant and id = m.conversation_id for update;
  select * into m from messages where tenant_id = p_tenant and id = p_message for update;
  if m.id is null then return ('not_found', null, null, null)::spoken; end if;
  if m.direction = 'inbound' and m.state = 'parked' and p_verb = 'resend' then
    insert into audit (tenant_id, actor, action, subject) values (p_tenant, p_member, 'message.retry', p_message);
    wake := promise_look(c);
    update messages set state = case wake when 'session' then 'pending' else 'held' end, due_at = clock_timestamp(), error = null, turn = null
     where tenant_id = p_tenant and id = p_message;
    return ('decided', m.id, wake, case wake when 'session' then c.session_id else c.id end)::spoken;
  end if;
  if m.state not in ('unknown', 'parked', 'failed') or m.direction <> 'outbound'
     or (p_verb = 'resend' and exists (select from messages where tenant_id = p_tenant and resend_of = p_message)) then
    return ('conflict', m.id, null, null)::spoken;
  end if;
  insert into audit (tenant_id, actor, action, subject) values (p_tenant, p_member, 'message.' || p_verb, p_message);
  if p_verb <> 'resend' then
    update messages set state = case p_verb when 'mark-sent' then 'sent' else 'failed' end, error = case p_verb when 'drop' then 'dropped by a member' end,
           sent_at = case p_verb when 'mark-sent' then clock_timestamp() end
     where tenant_id = p_tenant and id = p_message;
    return ('decided', m.id, null, null)::spoken;
  end if;
  insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, sender, text, payload, state, session_id, resend_of)
  values (p_tenant, p_copy, m.conversation_id, m.account_id, c.last_seq + 1, 'outbound', 'text', m.sender, m.text, m.payload, 'intent', m.session_id, m.id);
  update conversations set last_seq = c.last_seq + 1, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
  wake := promise_delivery(c);
  return ('decided', p_copy, wake, case wake when 'session' then c.session_id else c.id end)::spoken;
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
  perform from conversations where tenant_id = p_tenant and account_id = c.account_id and peer = c.peer order by id for update;
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation;
  if c.peer = '' or (p_verdict = 'refuse' and c.state = 'settled') then return 'conflict'; end if;
  insert into audit (tenant_id, actor, action, subject, details) values (p_tenant, p_member, 'conversation.' || p_verdict, c.id, jsonb_build_object('peer', c.peer));
  if p_verdict = 'refuse' then
    update messages set state = 'refused' where tenant_id = p_tenant and conversation_id = c.id and state = 'held';
    update conversations set state = 'refused', wake_at = null, wakes = 0, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
    return 'refused';
  end if;
  insert into peers (tenant_id, account_id, external_id) values (p_tenant, c.account_id, c.peer) on conflict do nothing;
  select person_id into who from peers where tenant_id = p_tenant and account_id = c.account_id and external_id = c.peer for update;
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
create function remove_account(p_tenant text, p_account text) returns text[] language plpgsql as $$
declare
  s sessions;
  asked text[];
begin
  perform set_config('app.tenant_id', p_tenant, true);
  perform from accounts where tenant_id = p_tenant and id = p_account for update;
  if not found then return null; end if;
  perform from conversations where tenant_id = p_tenant and account_id = p_account order by id for update;
  asked := array(select a.id from approvals a join conversations c on c.tenant_id = a.tenant_id and c.id = a.conversation_id
                  where a.tenant_id = p_tenant and a.state = 'pending' and c.account_id = p_account);
  for s in select * from sessions where tenant_id = p_tenant and life <> 'closed'
             and id in (select session_id from conversations where tenant_id = p_tenant and account_id = p_account) order by id for update loop
    if exists (select from conversations where tenant_id = p_tenant and session_id = s.id and account_id <> p_account) then
      update sessions set turn = turn + 1, step = 0, turn_conversation_id = null, turn_upto = null
       where tenant_id = p_tenant and id = s.id and turn_conversation_id in (select id from conversations where tenant_id = p_tenant and account_id = p_account);
    else
      perform close_locked(p_tenant, s.id, 'member');
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
