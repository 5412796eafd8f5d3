select b.id, b.account_id, c.name as account, b.chat, b.thread, b.agent_id, a.name as agent, b.created_at
  from bindings b join agents a on a.tenant_id = b.tenant_id and a.id = b.agent_id left join accounts c on c.tenant_id = b.tenant_id and c.id = b.account_id
 where b.tenant_id = %(tenant)s and (%(before)s::text is null or b.id < %(before)s) and (%(account)s::text is null or b.account_id = %(account)s)
   and (%(agent)s::text is null or %(agent)s in (a.id, a.name))
 order by b.id desc limit %(limit)s
