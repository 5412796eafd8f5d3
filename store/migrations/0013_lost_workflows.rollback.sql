create or replace function tenants_with_waiting_work(p_expired_before timestamptz) returns setof text language sql volatile security definer set search_path = pg_catalog, public, pg_temp
  as $$
    select tenant_id from sessions where wake_at < statement_timestamp() and life <> 'closed'
    union select tenant_id from conversations where wake_at < statement_timestamp()
    union select tenant_id from approvals where wake_at < statement_timestamp()
    union select tenant_id from sessions where life <> 'closed' and last_used_at < p_expired_before
    union select tenant_id from accounts where p_expired_before is not null
  $$;
drop policy resolver on tenants;
revoke select (tenant_id) on tenants from switchboard_resolver;
drop function rebuild;
drop table homes;
