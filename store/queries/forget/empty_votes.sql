update votes set comment = '' where tenant_id = %(tenant)s
   and approval_id in (select id from approvals where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s))
