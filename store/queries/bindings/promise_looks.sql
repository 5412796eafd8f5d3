with places as (
  select * from jsonb_to_recordset(%(places)s) as p (account text, chat text, thread text, agent text, served boolean)
), due as materialized (
  select c.id from conversations c
   where c.tenant_id = %(tenant)s and (
     (c.state in ('unbound', 'held', 'undecided') and exists (select from places p where p.account is null or p.account = c.account_id)
        and exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'held'))
     or (c.state = 'settled' and exists (
       select from places p
         join sessions s on s.tenant_id = c.tenant_id and s.id = c.session_id and s.life <> 'closed'
         join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id and a.channel <> 'api'
        where (p.account is null or p.account = c.account_id) and c.chat like p.chat and c.thread like p.thread and (s.agent_id = p.agent) = p.served)))
   order by c.id for no key update
)
update conversations c set wake_at = clock_timestamp(), wakes = 0, state = case c.state when 'settled' then c.state else 'undecided' end
  from due where c.tenant_id = %(tenant)s and c.id = due.id
