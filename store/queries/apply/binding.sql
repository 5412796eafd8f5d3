insert into bindings (tenant_id, id, account_id, chat, thread, agent_id)
select %(tenant)s, %(id)s, (select id from accounts where tenant_id = %(tenant)s and name = %(account)s), %(chat)s, %(thread)s, a.id
  from agents a where a.tenant_id = %(tenant)s and a.name = %(agent)s
on conflict (tenant_id, coalesce(account_id, ''), chat, thread) do update set agent_id = excluded.agent_id
  where %(overwrite)s and bindings.agent_id <> excluded.agent_id
returning xmax = 0 as created
