update demo_refunds set "to" = '' where tenant_id = %(tenant)s
   and call_id in (select id from calls where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s))
