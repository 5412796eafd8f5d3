select s.life, c.id as conversation_id, c.account_id, a.channel, c.chat, c.thread
  from sessions s
  left join conversations c on c.tenant_id = s.tenant_id and c.session_id = s.id
  left join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id
 where s.tenant_id = %(tenant)s and s.id = %(session)s order by c.updated_at desc nulls last limit 1
