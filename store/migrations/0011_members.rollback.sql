drop function erase_session, remove_account, admit, decide_send, promise_look, append_outbound, promise_delivery, start_session, api_account, phase_of;
drop type spoken;
drop type started;
drop index conversations_by_peer, requests_by_time;
drop index idempotency_by_age;
alter table idempotency drop column first_at, drop column sealed, add column body jsonb;
create index idempotency_by_age on idempotency (tenant_id, created_at);

create or replace function may_end(p_tenant text, p_session text, p_conversation text, p_turn bigint, p_n int) returns boolean language plpgsql as $$
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

create function decide_send(p_tenant text, p_message text, p_verb text, p_copy text, p_member text) returns text language plpgsql as $$
declare
  m messages;
  c conversations;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into m from messages where tenant_id = p_tenant and id = p_message;
  select * into c from conversations where tenant_id = p_tenant and id = m.conversation_id for no key update;
  select * into m from messages where tenant_id = p_tenant and id = p_message for no key update;
  if m.id is null then return 'not_found'; end if;
  if m.direction = 'inbound' and m.state = 'parked' and p_verb = 'resend' then
    update messages set state = case when c.state = 'settled' then 'pending' else 'held' end, due_at = clock_timestamp(), error = null, turn = null
     where tenant_id = p_tenant and id = p_message;
    insert into audit (tenant_id, actor, action, subject) values (p_tenant, p_member, 'message.retry', p_message);
    perform promise_session(p_tenant, c.session_id);
    return coalesce(c.session_id, '');
  end if;
  if m.state not in ('unknown', 'parked', 'failed') or m.direction <> 'outbound' then return 'conflict'; end if;
  insert into audit (tenant_id, actor, action, subject) values (p_tenant, p_member, 'message.' || p_verb, p_message);
  if p_verb = 'resend' then
    if exists (select from messages where tenant_id = p_tenant and resend_of = p_message) then return 'conflict'; end if;
    insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, text, payload, state, session_id, resend_of)
    values (p_tenant, p_copy, m.conversation_id, m.account_id, c.last_seq + 1, 'outbound', 'text', m.text, m.payload, 'intent', m.session_id, m.id);
    update conversations set last_seq = c.last_seq + 1, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
    update sessions set wake_at = clock_timestamp() + interval '2 s' where tenant_id = p_tenant and id = c.session_id and life <> 'closed';
  else
    update messages set state = case p_verb when 'mark-sent' then 'sent' else 'failed' end, error = case p_verb when 'drop' then 'dropped by a member' end,
           sent_at = case p_verb when 'mark-sent' then clock_timestamp() end
     where tenant_id = p_tenant and id = p_message;
  end if;
  return coalesce(c.session_id, '');
end $$;

create function append_outbound(p_tenant text, p_conversation text, p_message text, p_text text, p_member text, p_commit_delivers boolean) returns text language plpgsql as $$
declare c conversations;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  if c.id is null then raise exception 'no conversation % here', p_conversation using errcode = 'no_data_found'; end if;
  insert into messages (tenant_id, id, conversation_id, account_id, seq, direction, kind, sender, text, state, session_id, sent_at)
  values (p_tenant, p_message, c.id, c.account_id, c.last_seq + 1, 'outbound', 'text', p_member, p_text,
          case when p_commit_delivers then 'sent' else 'intent' end, c.session_id, case when p_commit_delivers then clock_timestamp() end);
  update conversations set last_seq = c.last_seq + 1, updated_at = clock_timestamp() where tenant_id = p_tenant and id = c.id;
  if p_commit_delivers then return null; end if;
  if c.session_id is null then
    update conversations set wake_at = clock_timestamp() + interval '2 s' where tenant_id = p_tenant and id = c.id;
  else
    update sessions set wake_at = clock_timestamp() + interval '2 s' where tenant_id = p_tenant and id = c.session_id and life <> 'closed';
  end if;
  return c.session_id;
end $$;
