-- END of a turn's step, REST, and what happens to calls. Each is one commit.
create type ended as (status text, call_id text, next text, due_at timestamptz, wake_session text);

-- Whether something that was said is not sent yet.
create function has_unsent(p_tenant text, p_session text) returns boolean language sql stable as $$
  select exists (select from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state in ('intent', 'sending')
                  where c.tenant_id = p_tenant and c.session_id = p_session)
$$;

-- What a session's promise becomes when its turn is over; the session is locked by the caller. `next`: more, wait (until due_at), rest.
create function rest_of(p_tenant text, p_session text) returns ended language plpgsql as $$
declare due timestamptz;
begin
  select min(m.due_at) into due from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
   where c.tenant_id = p_tenant and c.session_id = p_session;
  if due <= clock_timestamp() or has_unsent(p_tenant, p_session) then
    update sessions set wake_at = clock_timestamp() + interval '10 s', wakes = 0 where tenant_id = p_tenant and id = p_session;
    return ('committed', null, 'more', null, null)::ended;
  end if;
  update sessions set wake_at = due, wakes = 0 where tenant_id = p_tenant and id = p_session;
  return ('committed', null, case when due is null then 'rest' else 'wait' end, due, null)::ended;
end $$;

create function rest(p_tenant text, p_session text) returns ended language plpgsql as $$
declare s sessions;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into s from sessions where tenant_id = p_tenant and id = p_session for no key update;
  if not found or s.life = 'closed' then return ('refused', null, 'rest', null, null)::ended; end if;
  if s.life <> 'open' then
    update sessions set wake_at = case when has_unsent(p_tenant, p_session) then clock_timestamp() + interval '10 s' end, wakes = 0
     where tenant_id = p_tenant and id = p_session;
    return ('committed', null, 'rest', null, null)::ended;
  end if;
  if s.step > 0 then return ('refused', null, null, null, null)::ended; end if;
  return rest_of(p_tenant, p_session);
end $$;

-- Locks a turn's conversation and session (and, in the order of ids, the session that waits for the conversation) and says whether
-- (turn, n) is the next step of a live session with this route.
create function may_end(p_tenant text, p_session text, p_conversation text, p_turn bigint, p_n int) returns boolean language plpgsql as $$
declare
  c conversations;
  s sessions;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  if c.next_session_id < p_session then
    perform from sessions where tenant_id = p_tenant and id = c.next_session_id for no key update;
  end if;
  select * into s from sessions where tenant_id = p_tenant and id = p_session for no key update;
  return coalesce(c.session_id = p_session and s.life = 'open'
     and (p_turn, p_n) = case when s.step > 0 then (s.turn, s.step + 1) else (s.turn + 1, 1) end, false);
end $$;

-- The first step of a turn takes the batch: everything pending up to p_upto, timers only when they were due at the look.
create function take_batch(p_tenant text, p_session text, p_conversation text, p_turn bigint, p_upto bigint, p_looked_at timestamptz) returns void language sql as $$
  update messages set turn = p_turn, session_id = p_session
   where tenant_id = p_tenant and conversation_id = p_conversation and state = 'pending' and seq <= p_upto
     and (kind <> 'timer' or due_at <= p_looked_at);
$$;

create function end_with_call(p_tenant text, p_session text, p_conversation text, p_turn bigint, p_n int, p_upto bigint, p_looked_at timestamptz,
                              p_call text, p_tool text, p_arguments jsonb, p_sha256 text, p_gate text, p_ask jsonb, p_result jsonb)
returns ended language plpgsql as $$
begin
  if not may_end(p_tenant, p_session, p_conversation, p_turn, p_n) then return ('refused', null, null, null, null)::ended; end if;
  insert into steps (tenant_id, session_id, turn, n, kind, call_id) values (p_tenant, p_session, p_turn, p_n, 'call', p_call);
  insert into calls (tenant_id, id, session_id, conversation_id, turn, n, tool, arguments, arguments_sha256, gate, ask, state, result)
  values (p_tenant, p_call, p_session, p_conversation, p_turn, p_n, p_tool, p_arguments, p_sha256, p_gate, p_ask,
          case p_gate when 'run' then 'ready' when 'ask' then 'asking' else 'denied' end,
          p_result);
  if p_n = 1 then
    perform take_batch(p_tenant, p_session, p_conversation, p_turn, p_upto, p_looked_at);
  end if;
  update sessions set turn = p_turn, step = p_n, turn_conversation_id = p_conversation, turn_upto = p_upto, last_used_at = clock_timestamp(),
         wake_at = clock_timestamp() + interval '10 s', wakes = 0
   where tenant_id = p_tenant and id = p_session;
  return ('committed', p_call, case p_gate when 'run' then 'act' when 'ask' then 'ask' else 'more' end, null, null)::ended;
end $$;

-- Whether a session still owes something it said it would do: an open approval, a verdict to tell, a follow-up.
create function has_promised(p_tenant text, p_session text) returns boolean language sql stable as $$
  select exists (select from approvals where tenant_id = p_tenant and session_id = p_session and state = 'pending')
      or exists (select from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
                  where c.tenant_id = p_tenant and c.session_id = p_session and m.kind in ('timer', 'verdict'))
$$;

-- p_replies: [{"id", "text", "answers": [seq, …]}], in order; what no reply names is answered by the last one.
create function end_with_say(p_tenant text, p_session text, p_conversation text, p_turn bigint, p_n int, p_upto bigint, p_looked_at timestamptz,
                             p_replies jsonb, p_commit_delivers boolean, p_close boolean)
returns ended language plpgsql as $$
declare
  c conversations;
  r ended;
begin
  if p_close then
    perform lock_session(p_tenant, p_session);
    if not exists (select from conversations where tenant_id = p_tenant and id = p_conversation and session_id = p_session) then
      return ('refused', null, null, null, null)::ended;
    end if;
  end if;
  if not may_end(p_tenant, p_session, p_conversation, p_turn, p_n) then return ('refused', null, null, null, null)::ended; end if;
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation;
  if p_n = 1 then
    perform take_batch(p_tenant, p_session, p_conversation, p_turn, p_upto, p_looked_at);
  end if;
  insert into steps (tenant_id, session_id, turn, n, kind) values (p_tenant, p_session, p_turn, p_n, 'say');
  insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, text, state, session_id, turn, sent_at)
  select p_tenant, reply ->> 'id', c.id, c.account_id, c.last_seq + position, 'outbound', 'text', reply ->> 'text',
         case when p_commit_delivers then 'sent' else 'intent' end, p_session, p_turn, case when p_commit_delivers then clock_timestamp() end
    from jsonb_array_elements(p_replies) with ordinality as replies (reply, position);
  update messages m set state = 'answered', answered_by = coalesce(
           (select reply ->> 'id' from jsonb_array_elements(p_replies) as reply where reply -> 'answers' @> to_jsonb(m.seq) limit 1),
           p_replies -> -1 ->> 'id')
   where m.tenant_id = p_tenant and m.conversation_id = c.id and m.state = 'pending' and m.session_id = p_session and m.turn = p_turn;
  update conversations set last_seq = c.last_seq + jsonb_array_length(p_replies), updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
  update sessions set turn = p_turn, step = 0, turn_conversation_id = null, turn_upto = null, last_used_at = clock_timestamp()
   where tenant_id = p_tenant and id = p_session;
  delete from drafts where tenant_id = p_tenant and conversation_id = c.id;
  c.next_session_id := change_route(p_tenant, c.id);
  if p_close and not has_promised(p_tenant, p_session) then
    perform close_locked(p_tenant, p_session, 'completed');
    return ('committed', null, 'rest', null, c.next_session_id)::ended;
  end if;
  r := rest_of(p_tenant, p_session);
  r.wake_session := c.next_session_id;
  return r;
end $$;

-- Applies a change of route that waited for the turn's end: the new session takes what is still pending; where it was closed meanwhile,
-- the route is decided anew. Returns the session to wake, or null.
create function change_route(p_tenant text, p_conversation text) returns text language plpgsql as $$
declare
  target text;
  its_life text;
begin
  select next_session_id into target from conversations where tenant_id = p_tenant and id = p_conversation;
  if target is null then return null; end if;
  select life into its_life from sessions where tenant_id = p_tenant and id = target for no key update;
  if its_life = 'closed' then
    update messages set state = 'held' where tenant_id = p_tenant and conversation_id = p_conversation and state = 'pending';
    update conversations set state = 'undecided', session_id = null, next_session_id = null, wake_at = clock_timestamp()
     where tenant_id = p_tenant and id = p_conversation;
    return null;
  end if;
  update conversations set session_id = target, next_session_id = null where tenant_id = p_tenant and id = p_conversation;
  perform promise_session(p_tenant, target);
  perform promise_sending(p_tenant, target);
  return target;
end $$;

-- Ends what a session has begun: unstarted calls and open approvals; a call that runs is asked to stop. The session is locked by the caller.
create function drop_unstarted(p_tenant text, p_session text) returns void language plpgsql as $$
begin
  update approvals set state = 'cancelled', verdict = 'cancelled', decided_by = 'policy', decided_at = clock_timestamp(), wake_at = clock_timestamp()
   where tenant_id = p_tenant and session_id = p_session and state = 'pending';
  update calls set state = 'cancelled' where tenant_id = p_tenant and session_id = p_session and state in ('ready', 'asking', 'waiting', 'approved');
  update calls set stop_asked_at = clock_timestamp() where tenant_id = p_tenant and session_id = p_session and state = 'started';
end $$;

-- Closes a locked session. What it has not answered is cancelled when a member closed it; otherwise the conversation is decided anew. With a
-- verdict that is not taken any more its call ends, whichever session asked: the conversation may have come from there.
-- What it said and did not send yet is sent by the conversation's routing.
create function close_locked(p_tenant text, p_session text, p_reason text) returns void language plpgsql as $$
begin
  perform drop_unstarted(p_tenant, p_session);
  update sessions set life = 'closed', phase_reason = p_reason, closed_at = clock_timestamp(), wake_at = null, step = 0, turn = turn + sign(step)::int,
         turn_conversation_id = null, turn_upto = null, version = version + 1
   where tenant_id = p_tenant and id = p_session;
  update calls k set state = 'cancelled'
    from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending' and m.kind = 'verdict'
    join approvals a on a.tenant_id = m.tenant_id and a.id = m.approval_id
   where c.tenant_id = p_tenant and c.session_id = p_session and k.tenant_id = p_tenant and k.id = a.call_id and k.state = 'approved';
  update messages m set state = case when p_reason = 'member' or m.kind <> 'text' then 'cancelled' else 'held' end, turn = null
    from conversations c
   where c.tenant_id = p_tenant and c.session_id = p_session and m.tenant_id = p_tenant and m.conversation_id = c.id and m.state = 'pending';
  update conversations c set state = 'undecided', wake_at = clock_timestamp()
   where c.tenant_id = p_tenant and c.session_id = p_session
     and exists (select from messages m where m.tenant_id = p_tenant and m.conversation_id = c.id and m.state = 'held');
  update conversations c set wake_at = clock_timestamp()
   where c.tenant_id = p_tenant and c.session_id = p_session
     and exists (select from messages m where m.tenant_id = p_tenant and m.conversation_id = c.id and m.state in ('intent', 'sending'));
end $$;

-- Locks a session together with its conversations and the sessions that wait for them, in the order that everyone keeps. A conversation
-- may come to the session while this waits for the session's lock; then the locks are given back and taken anew.
create function lock_session(p_tenant text, p_session text) returns sessions language plpgsql as $$
declare
  s sessions;
  mine text[];
begin
  perform set_config('app.tenant_id', p_tenant, true);
  loop
    begin
      mine := array(select id from conversations where tenant_id = p_tenant and session_id = p_session order by id for no key update);
      perform from sessions where tenant_id = p_tenant and id in (
        select p_session union select next_session_id from conversations where tenant_id = p_tenant and id = any (mine)) order by id for no key update;
      if exists (select from conversations where tenant_id = p_tenant and session_id = p_session and id <> all (mine)) then
        raise exception 'a conversation came' using errcode = 'SB001';
      end if;
      select * into s from sessions where tenant_id = p_tenant and id = p_session;
      return s;
    exception when sqlstate 'SB001' then
      null;
    end;
  end loop;
end $$;

create function close_session(p_tenant text, p_session text, p_reason text) returns text language plpgsql as $$
declare s sessions := lock_session(p_tenant, p_session);
begin
  if s.id is null then return 'not_found'; end if;
  if s.life <> 'closed' then perform close_locked(p_tenant, p_session, p_reason); end if;
  return 'closed';
end $$;

create function suspend_session(p_tenant text, p_session text, p_reason text) returns text language plpgsql as $$
declare s sessions := lock_session(p_tenant, p_session);
begin
  if s.id is null then return 'not_found'; end if;
  if s.life = 'closed' then return 'closed'; end if;
  update sessions set life = 'suspended', phase_reason = p_reason, version = version + 1,
         wake_at = case when has_unsent(p_tenant, p_session) then clock_timestamp() + interval '2 s' end
   where tenant_id = p_tenant and id = p_session and life = 'open';
  return 'suspended';
end $$;

create function resume_session(p_tenant text, p_session text, p_context jsonb) returns text language plpgsql as $$
declare s sessions := lock_session(p_tenant, p_session);
begin
  if s.id is null then return 'not_found'; end if;
  if s.life = 'closed' then return 'closed'; end if;
  update sessions set life = 'open', phase_reason = null, context = context || p_context, version = version + 1,
         wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = p_tenant and id = p_session;
  return 'open';
end $$;

-- Stops the turn that is open or being thought about: its number is used up, so a thought under way is refused at its end. Its batch
-- is cancelled (a member's word) or parked (it cannot be answered, the next one can).
create function stop_turn(p_tenant text, p_session text, p_state text, p_error text) returns text language plpgsql as $$
declare
  s sessions := lock_session(p_tenant, p_session);
  here text := s.turn_conversation_id;
  upto bigint := s.turn_upto;
begin
  if s.id is null then return 'not_found'; end if;
  if s.life = 'closed' then return 'closed'; end if;
  if s.step = 0 then
    select c.id, c.last_seq into here, upto from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
     where c.tenant_id = p_tenant and c.session_id = p_session and m.due_at <= clock_timestamp() order by m.due_at limit 1;
    if here is null then return 'idle'; end if;
  end if;
  update messages set state = p_state, error = p_error where tenant_id = p_tenant and conversation_id = here and state = 'pending' and seq <= upto
     and case when s.step > 0 then turn = s.turn and session_id = p_session
              else p_state = 'parked' and due_at <= clock_timestamp() or kind in ('text', 'note') end;
  update approvals set state = 'cancelled', verdict = 'cancelled', decided_by = 'policy', decided_at = clock_timestamp(), wake_at = clock_timestamp()
   where tenant_id = p_tenant and state = 'pending' and call_id in (select id from calls where tenant_id = p_tenant and session_id = p_session and turn = s.turn and s.step > 0);
  update calls set state = 'cancelled' where tenant_id = p_tenant and session_id = p_session and turn = s.turn and s.step > 0 and state in ('ready', 'asking', 'waiting', 'approved');
  update calls set stop_asked_at = clock_timestamp() where tenant_id = p_tenant and session_id = p_session and state = 'started';
  update sessions set turn = turn + 1, step = 0, turn_conversation_id = null, turn_upto = null, version = version + 1 where tenant_id = p_tenant and id = p_session;
  delete from drafts where tenant_id = p_tenant and conversation_id = here;
  perform change_route(p_tenant, here);
  perform rest_of(p_tenant, p_session);
  return p_state;
end $$;

-- A follow-up an agent asked for: a message to itself that is due later. Part of the tool's transaction.
create function follow_up(p_tenant text, p_conversation text, p_message text, p_external text, p_note text, p_due timestamptz) returns accepted language plpgsql as $$
declare c conversations;
begin
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  if not found then
    raise exception 'no conversation % here any more', p_conversation using errcode = 'no_data_found';
  end if;
  return append_inbound(c, p_message, 'timer', p_external, '', p_note, '{}', p_due, null);
end $$;
