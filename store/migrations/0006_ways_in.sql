-- The four narrow ways in before a tenant is known: functions of a role that sees ids only, by column grants. Their search path ends with
-- pg_temp, so that a temporary table cannot stand in for one of ours.
create procedure let_resolver_see(t regclass, cols text) language plpgsql as $$
begin
  execute format('grant select (%s) on %s to switchboard_resolver', cols, t);
  execute format('create policy resolver on %s for select to switchboard_resolver using (true)', t);
end $$;
call let_resolver_see('accounts', 'tenant_id, id');
call let_resolver_see('keys', 'tenant_id, id, hash');
call let_resolver_see('signins', 'tenant_id, hash');
call let_resolver_see('sessions', 'tenant_id, wake_at, life, last_used_at');
call let_resolver_see('conversations', 'tenant_id, wake_at');
call let_resolver_see('approvals', 'tenant_id, wake_at, state');
drop procedure let_resolver_see;

grant create on schema public to switchboard_resolver;

create function tenant_of_account(p_account text) returns text language sql stable security definer set search_path = pg_catalog, public, pg_temp
  as $$ select tenant_id from accounts where id = p_account $$;
alter function tenant_of_account owner to switchboard_resolver;

create function tenant_of_key(p_hash bytea) returns text language sql stable security definer set search_path = pg_catalog, public, pg_temp
  as $$ select tenant_id from keys where hash = p_hash $$;
alter function tenant_of_key owner to switchboard_resolver;

create function tenant_of_token(p_hash bytea) returns text language sql stable security definer set search_path = pg_catalog, public, pg_temp
  as $$ select tenant_id from signins where hash = p_hash $$;
alter function tenant_of_token owner to switchboard_resolver;

create function tenants_with_waiting_work(p_expired_before timestamptz) returns setof text language sql volatile security definer set search_path = pg_catalog, public, pg_temp
  as $$
    select tenant_id from sessions where wake_at < statement_timestamp() and life <> 'closed'
    union select tenant_id from conversations where wake_at < statement_timestamp()
    union select tenant_id from approvals where wake_at < statement_timestamp()
    union select tenant_id from sessions where life <> 'closed' and last_used_at < p_expired_before
    union select tenant_id from accounts where p_expired_before is not null
  $$;
alter function tenants_with_waiting_work owner to switchboard_resolver;

revoke create on schema public from switchboard_resolver;
revoke execute on function tenant_of_account, tenant_of_key, tenant_of_token, tenants_with_waiting_work from public;
grant execute on function tenant_of_account, tenant_of_key, tenant_of_token, tenants_with_waiting_work to switchboard_app;
