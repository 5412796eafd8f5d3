with due as materialized (
  select c.id from conversations c
   where c.tenant_id = %(tenant)s and (%(account)s::text is null or c.account_id = %(account)s) and c.state in ('unbound', 'held', 'undecided')
     and exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'held')
   order by c.id for no key update
)
update conversations c set wake_at = clock_timestamp(), state = 'undecided' from due where c.tenant_id = %(tenant)s and c.id = due.id
