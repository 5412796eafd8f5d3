-- When Temporal's data was lost. A tenant remembers which Temporal its workflows were told to, by the id that a namespace gets when it is made.
-- A namespace with another id holds none of them, so everything that a workflow would be waiting for is promised anew, as it stands.
create table homes (
  tenant_id text primary key references tenants,
  namespace_id text not null,
  at timestamptz not null default clock_timestamp()
);
call protect('homes', 'select, insert, update');

-- Promises anew what is open, where the workflows' home is another than before; deadlines stay as they are. Returns how many promises it
-- made, 0 where the home is the same. A later promise (a follow-up that is due in days) is kept by the sweep as ever.
create function rebuild(p_tenant text, p_namespace text) returns bigint language plpgsql as $$
declare
  soon timestamptz := clock_timestamp() + interval '61 s';
  also_promised bigint;
  promised bigint := 0;
begin
  perform set_config('app.tenant_id', p_tenant, true);
  if exists (select from homes where tenant_id = p_tenant and namespace_id = p_namespace) then return 0; end if;
  insert into homes (tenant_id, namespace_id) values (p_tenant, p_namespace)
    on conflict (tenant_id) do update set namespace_id = excluded.namespace_id, at = clock_timestamp() where homes.namespace_id <> excluded.namespace_id;
  if not found then return 0; end if;
  perform from conversations where tenant_id = p_tenant and wake_at < soon order by id for no key update;
  update conversations set wake_at = clock_timestamp(), wakes = 0 where tenant_id = p_tenant and wake_at < soon;
  get diagnostics promised = row_count;
  perform from sessions where tenant_id = p_tenant and wake_at < soon and life <> 'closed' order by id for no key update;
  update sessions set wake_at = clock_timestamp(), wakes = 0 where tenant_id = p_tenant and wake_at < soon and life <> 'closed';
  get diagnostics also_promised = row_count;
  promised := promised + also_promised;
  perform from approvals where tenant_id = p_tenant and state = 'pending' order by id for no key update;
  update approvals set wake_at = clock_timestamp() where tenant_id = p_tenant and state = 'pending';
  get diagnostics also_promised = row_count;
  return promised + also_promised;
end $$;

-- Once in a while every tenant is looked at, also one that has no account and whose approvals a program asked for.
grant select (tenant_id) on tenants to switchboard_resolver;
create policy resolver on tenants for select to switchboard_resolver using (true);
create or replace function tenants_with_waiting_work(p_expired_before timestamptz) returns setof text language sql volatile security definer set search_path = pg_catalog, public, pg_temp
  as $$
    select tenant_id from sessions where wake_at < statement_timestamp() and life <> 'closed'
    union select tenant_id from conversations where wake_at < statement_timestamp()
    union select tenant_id from approvals where wake_at < statement_timestamp()
    union select tenant_id from sessions where life <> 'closed' and last_used_at < p_expired_before
    union select tenant_id from tenants where p_expired_before is not null
  $$;
