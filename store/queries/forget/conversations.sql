select c.id, not exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.direction = 'inbound' and m.sender <> ''
                            and m.sender <> all (%(peers)s)) as alone
  from conversations c join unnest(%(accounts)s::text[], %(peers)s::text[]) as gone (account_id, external_id) on gone.account_id = c.account_id
 where c.tenant_id = %(tenant)s and (c.peer = gone.external_id
    or exists (select from messages m where m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.sender = gone.external_id))
 order by c.id for no key update of c
