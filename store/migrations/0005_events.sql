-- What changed, in an order that no late commit can break: readers take rows below pg_snapshot_xmin, cursor (xid, id).
create table events (
  tenant_id text not null references tenants,
  xid xid8 not null default pg_current_xact_id(),
  id bigint generated always as identity,
  kind text not null,
  subject text not null,
  conversation_id text,
  state text not null default '',
  at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, xid, id)
);
call protect('events', 'select, insert, delete');
create index events_by_age on events (tenant_id, at);

create function record_message_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, conversation_id, state) values (new.tenant_id, 'message', new.id, new.conversation_id, new.state);
  return null;
end $$;
create trigger message_added after insert on messages for each row execute function record_message_event();
create trigger message_changed after update of state on messages for each row when (old.state is distinct from new.state) execute function record_message_event();

create function record_conversation_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, conversation_id, state) values (new.tenant_id, 'conversation', new.id, new.id, new.state);
  return null;
end $$;
create trigger conversation_added after insert on conversations for each row execute function record_conversation_event();
create trigger conversation_changed after update of state on conversations for each row when (old.state is distinct from new.state) execute function record_conversation_event();

create function record_session_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, state) values (new.tenant_id, 'session', new.id, new.life);
  return null;
end $$;
create trigger session_added after insert on sessions for each row execute function record_session_event();
create trigger session_changed after update of life on sessions for each row when (old.life is distinct from new.life) execute function record_session_event();

create function record_approval_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, conversation_id, state) values (new.tenant_id, 'approval', new.id, new.conversation_id, new.state);
  return null;
end $$;
create trigger approval_added after insert on approvals for each row execute function record_approval_event();
create trigger approval_changed after update of state on approvals for each row when (old.state is distinct from new.state) execute function record_approval_event();

create function record_account_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, state) values (new.tenant_id, 'account', new.id, new.state);
  return null;
end $$;
create trigger account_added after insert on accounts for each row execute function record_account_event();
create trigger account_changed after update of state on accounts for each row when (old.state is distinct from new.state) execute function record_account_event();
