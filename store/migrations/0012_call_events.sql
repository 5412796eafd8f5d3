-- What becomes of a call that was asked about shows on its approval, so its changes are told as the approval's.
create function record_call_event() returns trigger language plpgsql as $$
begin
  insert into events (tenant_id, kind, subject, conversation_id, state)
  select a.tenant_id, 'approval', a.id, a.conversation_id, a.state from approvals a where a.tenant_id = new.tenant_id and a.call_id = new.id;
  return null;
end $$;
create trigger call_changed after update of state on calls for each row
 when (old.state is distinct from new.state and new.approval_id is not null and new.state in ('started', 'done', 'failed', 'unknown', 'cancelled'))
 execute function record_call_event();
