select id from conversations where tenant_id = %(tenant)s and id = %(conversation)s for update
