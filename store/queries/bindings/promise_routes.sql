update conversations set wake_at = clock_timestamp(), wakes = 0
 where tenant_id = %(tenant)s and id in (
   select c.id from conversations c
     join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id and s.life <> 'closed'
     join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id and a.channel <> 'api'
    where c.tenant_id = %(tenant)s and c.state = 'settled' and (%(account)s::text is null or c.account_id = %(account)s)
      and c.chat like %(chat)s and c.thread like %(thread)s and (s.agent_id = %(agent)s) = %(served)s
    order by c.id for update of c)
