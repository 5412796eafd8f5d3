drop function erase_session, remove_account, admit, start_session, api_account, phase_of;
drop type started;
drop index conversations_by_peer, requests_by_time, idempotency_by_age;
alter table idempotency drop column first_at, drop column sealed, add column body jsonb;
create index idempotency_by_age on idempotency (tenant_id, created_at);
