select c.id, c.account_id, a.channel, c.chat, c.thread, c.state, c.session_id, c.peer, c.last_seq, c.created_at, c.updated_at
  from conversations c join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id
 where c.tenant_id = %(tenant)s and c.id = %(conversation)s
