-- ACCEPT and SETTLE. Lock order everywhere: conversations by id, sessions by id, approval or call; lock first, then read, so each
-- is a function of several statements (a READ COMMITTED statement that waited for a lock keeps its old snapshot). Locks are FOR NO KEY
-- UPDATE: a plain FOR UPDATE would also stop those who only refer to the row, and a foreign key's check keeps no order.

-- A session's promise: set to two seconds from now unless one as near exists. True where the caller has to wake its workflow.
create function promise_session(p_tenant text, p_session text) returns boolean language plpgsql as $$
begin
  update sessions set wake_at = clock_timestamp() + interval '2 s', last_used_at = clock_timestamp()
   where tenant_id = p_tenant and id = p_session and life = 'open'
     and (wake_at is null or wake_at < clock_timestamp() or wake_at > clock_timestamp() + interval '2 s');
  return found;
end $$;

-- Has something unsent looked after: also a paused session still owes what it said.
create function promise_sending(p_tenant text, p_session text) returns void language sql as $$
  update sessions set wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = p_tenant and id = p_session and life <> 'closed' and (wake_at is null or wake_at > clock_timestamp() + interval '2 s')
     and exists (select from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state in ('intent', 'sending')
                  where c.tenant_id = p_tenant and c.session_id = p_session);
$$;

create function promise_routing(p_tenant text, p_conversation text) returns boolean language plpgsql as $$
begin
  update conversations set wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = p_tenant and id = p_conversation and (wake_at is null or wake_at < clock_timestamp());
  return found;
end $$;

create type accepted as (message_id text, seq bigint, duplicate boolean, conversation_id text, session_id text, wake text);

-- Puts a message behind all others of its conversation; the conversation is locked by the caller. `wake` is session, routing or null.
create function append_inbound(c conversations, p_message text, p_kind text, p_external text, p_sender text, p_text text, p_payload jsonb,
                               p_due timestamptz, p_approval text) returns accepted language plpgsql as $$
declare
  s sessions;
  m messages;
  held boolean := c.state <> 'settled';
begin
  if not held then
    select * into s from sessions where tenant_id = c.tenant_id and id = c.session_id for no key update;
    if s.life = 'closed' then
      update conversations set state = 'undecided', session_id = null where tenant_id = c.tenant_id and id = c.id;
      held := true;
    end if;
  end if;
  insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, external_id, sender, text, payload, state, due_at, approval_id)
  values (c.tenant_id, p_message, c.id, c.account_id, c.last_seq + 1, 'inbound', p_kind, p_external, p_sender, p_text, p_payload,
          case when held then 'held' else 'pending' end, p_due, p_approval)
  on conflict (tenant_id, account_id, external_id) where external_id is not null do nothing
  returning * into m;
  if m.id is null then
    select * into m from messages where tenant_id = c.tenant_id and account_id = c.account_id and external_id = p_external;
    if m.conversation_id <> c.id then
      return (m.id, m.seq, true, m.conversation_id, null, null)::accepted;
    elsif m.state = 'pending' and promise_session(c.tenant_id, s.id) then
      return (m.id, m.seq, true, m.conversation_id, s.id, 'session')::accepted;
    elsif m.state = 'held' and promise_routing(c.tenant_id, m.conversation_id) then
      return (m.id, m.seq, true, m.conversation_id, null, 'routing')::accepted;
    end if;
    return (m.id, m.seq, true, m.conversation_id, s.id, null)::accepted;
  end if;
  update conversations set last_seq = m.seq, updated_at = clock_timestamp() where tenant_id = c.tenant_id and id = c.id;
  if held then
    return (m.id, m.seq, false, c.id, null, case when promise_routing(c.tenant_id, c.id) then 'routing' end)::accepted;
  elsif p_due > clock_timestamp() + interval '1 min' then
    update sessions set wake_at = least(wake_at, p_due) where tenant_id = c.tenant_id and id = s.id and life = 'open';
    return (m.id, m.seq, false, c.id, s.id, null)::accepted;
  end if;
  return (m.id, m.seq, false, c.id, s.id, case when promise_session(c.tenant_id, s.id) then 'session' end)::accepted;
end $$;

create function accept(p_tenant text, p_account text, p_chat text, p_thread text, p_sender text, p_sender_name text, p_external text,
                       p_kind text, p_text text, p_payload jsonb, p_at_once boolean, p_conversation text, p_message text)
returns accepted language plpgsql as $$
declare
  c conversations;
  wait double precision;
  standing text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select debounce, state into wait, standing from accounts where tenant_id = p_tenant and id = p_account;
  if not found or standing = 'logged_out' and p_kind = 'text' then
    raise exception 'no open account % here', p_account using errcode = 'no_data_found';
  end if;
  if p_sender <> '' and p_kind = 'text' and not exists (select from peers where tenant_id = p_tenant and account_id = p_account and external_id = p_sender) then
    insert into peers (tenant_id, account_id, external_id, name)
      select p_tenant, id, p_sender, p_sender_name from accounts where tenant_id = p_tenant and id = p_account for key share
      on conflict do nothing;
  end if;
  select * into c from conversations where tenant_id = p_tenant and account_id = p_account and chat = p_chat and thread = p_thread for no key update;
  if not found then
    perform from accounts where tenant_id = p_tenant and id = p_account for key share;
    if not found then
      raise exception 'no account % here any more', p_account using errcode = 'no_data_found';
    end if;
    insert into conversations (tenant_id, id, account_id, chat, thread, peer) values (p_tenant, p_conversation, p_account, p_chat, p_thread, p_sender)
      on conflict (tenant_id, account_id, chat, thread) do nothing;
    select * into c from conversations where tenant_id = p_tenant and account_id = p_account and chat = p_chat and thread = p_thread for no key update;
  end if;
  return append_inbound(c, p_message, p_kind, p_external, p_sender, p_text, p_payload,
                        clock_timestamp() + make_interval(secs => case when p_at_once then 0 else wait end), null);
end $$;

-- The session that serves a scope for an agent; a new one where none is open. Its row is locked afterwards. Null: there is no such agent.
create function session_for(p_tenant text, p_agent text, p_scope text, p_new text) returns sessions language plpgsql as $$
declare s sessions;
begin
  loop
    select * into s from sessions where tenant_id = p_tenant and agent_id = p_agent and scope = p_scope and life <> 'closed' for no key update;
    if found then return s; end if;
    insert into sessions (tenant_id, id, agent_id, mode, scope)
      select p_tenant, p_new, id, mode, p_scope from agents where tenant_id = p_tenant and id = p_agent
      on conflict (tenant_id, agent_id, scope) where life <> 'closed' do nothing;
    if not exists (select from agents where tenant_id = p_tenant and id = p_agent) then return null; end if;
  end loop;
end $$;

-- Gives a conversation to a session of an agent: what was held becomes pending, in order. A change of route while something is
-- pending or a turn is open waits for that turn's end (`next_session_id`). The promise that was seen is kept by this, a newer one stays.
-- Returns the session to wake, or null.
create function settle(p_tenant text, p_conversation text, p_agent text, p_scope text, p_new_session text, p_promised_at timestamptz)
returns text language plpgsql as $$
declare
  c conversations;
  s sessions;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  if not found then return null; end if;
  s := session_for(p_tenant, p_agent, coalesce(p_scope, c.id), p_new_session);
  if s.id is null then return null; end if;
  if c.state = 'settled' and c.session_id <> s.id and (
       exists (select from sessions o where o.tenant_id = p_tenant and o.id = c.session_id and o.step > 0 and o.turn_conversation_id = c.id)
       or exists (select from messages m where m.tenant_id = p_tenant and m.conversation_id = c.id and m.state = 'pending')) then
    update conversations set next_session_id = s.id where tenant_id = p_tenant and id = c.id;
    return null;
  end if;
  update conversations set state = 'settled', session_id = s.id, next_session_id = null, updated_at = clock_timestamp(),
         wake_at = case when wake_at is distinct from p_promised_at then wake_at end, wakes = 0
   where tenant_id = p_tenant and id = c.id;
  update messages set state = 'pending', due_at = coalesce(due_at, clock_timestamp()) where tenant_id = p_tenant and conversation_id = c.id and state = 'held';
  if exists (select from messages m where m.tenant_id = p_tenant and m.conversation_id = c.id and m.state in ('pending', 'intent', 'sending')) then
    perform promise_session(p_tenant, s.id);
    perform promise_sending(p_tenant, s.id);
    return s.id;
  end if;
  return null;
end $$;

-- Writes down that a conversation is not settled: held, unbound or refused. Nobody will look again until something changes. False: it
-- changed since the look (a message came, or someone promised another look because a binding or a person's tier did).
create function leave_undecided(p_tenant text, p_conversation text, p_state text, p_upto bigint, p_promised_at timestamptz) returns boolean language plpgsql as $$
declare c conversations;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  if not found or c.state = 'settled' or c.last_seq > p_upto or c.wake_at is distinct from p_promised_at then return false; end if;
  update conversations set state = p_state, wake_at = null, wakes = 0 where tenant_id = p_tenant and id = c.id;
  if p_state = 'refused' then
    update messages set state = 'refused' where tenant_id = p_tenant and conversation_id = c.id and state = 'held';
  end if;
  return true;
end $$;
