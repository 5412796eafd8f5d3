update audit set details = details - array['peer', 'arguments_sha256'] where tenant_id = %(tenant)s
   and (subject = any (%(conversations)s::text[] || %(shared)s::text[])
     or subject in (select id from approvals where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s)))
