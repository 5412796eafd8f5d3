-- DELIVER: one commit before the wire and one after it, lowest unsent first, one at a time per conversation.
create type sending as (status text, message_id text, account_id text, chat text, thread text, text text, payload jsonb, attempt int, resend_of text, accepted_at timestamptz);

-- CAS intent → sending for the lowest unsent message. `again`: an earlier attempt left it in sending, so it may have been sent.
create function begin_send(p_tenant text, p_conversation text, p_epoch bigint) returns sending language plpgsql as $$
declare
  c conversations;
  m messages;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
  select * into m from messages where tenant_id = p_tenant and conversation_id = p_conversation and direction = 'outbound' and state in ('intent', 'sending')
   order by seq limit 1 for no key update;
  if m.id is null then return ('none', null, null, null, null, null, null, null, null, null)::sending; end if;
  update messages set state = 'sending', attempt = m.attempt + 1, epoch = p_epoch where tenant_id = p_tenant and id = m.id;
  return (case m.state when 'sending' then 'again' else 'first' end, m.id, m.account_id, c.chat, c.thread, m.text, m.payload, m.attempt + 1, m.resend_of, m.accepted_at)::sending;
end $$;

-- CAS sending(attempt) → an outcome: sent, intent (not taken, try again), unknown, failed or parked. False: another attempt took over.
-- A receipt that comes after an attempt was given up as unknown settles it: it was sent.
create function end_send(p_tenant text, p_message text, p_attempt int, p_state text, p_receipt text, p_error text) returns boolean language plpgsql as $$
begin
  perform set_config('app.tenant_id', p_tenant, true);
  update messages set state = p_state, receipt = coalesce(p_receipt, receipt), error = p_error, sent_at = case when p_state = 'sent' then clock_timestamp() else sent_at end
   where tenant_id = p_tenant and id = p_message and (state = 'sending' and attempt = p_attempt or state = 'unknown' and p_state = 'sent');
  return found;
end $$;

create type spoken as (status text, message_id text, wake text, wake_id text);

-- Has something unsent looked after: by the session, or by the conversation's routing where no session is open. Returns which.
create function promise_delivery(c conversations) returns text language plpgsql as $$
begin
  update sessions set wake_at = clock_timestamp() + interval '2 s' where tenant_id = c.tenant_id and id = c.session_id and life <> 'closed';
  if found then return 'session'; end if;
  update conversations set wake_at = clock_timestamp() + interval '2 s' where tenant_id = c.tenant_id and id = c.id;
  return 'routing';
end $$;

-- A member's own words in a conversation; with an external id once.
create function append_outbound(p_tenant text, p_conversation text, p_message text, p_external text, p_text text, p_member text, p_commit_delivers boolean)
returns spoken language plpgsql as $$
declare
  c conversations;
  wake text;
  added text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into c from conversations where tenant_id = p_tenant and id = p_conversation for no key update;
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

-- Has what came in looked after: by the session that is not closed, or by the conversation's routing. Returns which.
create function promise_look(c conversations) returns text language plpgsql as $$
begin
  perform from sessions where tenant_id = c.tenant_id and id = c.session_id and life <> 'closed' for no key update;
  if found and c.state = 'settled' then
    perform promise_session(c.tenant_id, c.session_id);
    return 'session';
  end if;
  update conversations set state = case state when 'settled' then 'undecided' else state end, session_id = null, wake_at = clock_timestamp() + interval '2 s'
   where tenant_id = c.tenant_id and id = c.id;
  return 'routing';
end $$;

-- What a member decides about a send that is unknown, parked or failed: resend (a labelled copy), mark-sent or drop. A parked inbound
-- message is tried again by the same word.
create function decide_send(p_tenant text, p_message text, p_verb text, p_copy text, p_member text) returns spoken language plpgsql as $$
declare
  m messages;
  c conversations;
  wake text;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  select * into m from messages where tenant_id = p_tenant and id = p_message;
  select * into c from conversations where tenant_id = p_tenant and id = m.conversation_id for no key update;
  select * into m from messages where tenant_id = p_tenant and id = p_message for no key update;
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
