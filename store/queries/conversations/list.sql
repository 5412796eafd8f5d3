select c.id, c.account_id, a.channel, c.chat, c.thread, c.state, c.session_id, c.peer, c.last_seq, c.created_at, c.updated_at
  from conversations c join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id
 where c.tenant_id = %(tenant)s and (%(before)s::text is null or c.id < %(before)s) and (%(state)s::text is null or c.state = %(state)s)
   and (%(account)s::text is null or c.account_id = %(account)s) and (%(session)s::text is null or c.session_id = %(session)s)
 order by c.id desc limit %(limit)s
