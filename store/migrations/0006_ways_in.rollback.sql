drop function tenants_with_waiting_work, tenant_of_token, tenant_of_key, tenant_of_account;
do $$
declare t text;
begin
  foreach t in array array['accounts', 'keys', 'signins', 'sessions', 'conversations', 'approvals'] loop
    execute format('drop policy resolver on %I', t);
    execute format('revoke all on %I from switchboard_resolver', t);
  end loop;
end $$;
