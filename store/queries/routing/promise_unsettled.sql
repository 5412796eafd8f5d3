update conversations set wake_at = clock_timestamp(), state = 'undecided'
 where tenant_id = %(tenant)s and (%(account)s::text is null or account_id = %(account)s) and state in ('unbound', 'held', 'undecided')
   and exists (select from messages m where m.tenant_id = conversations.tenant_id and m.conversation_id = conversations.id and m.state = 'held')
