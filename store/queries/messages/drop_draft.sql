delete from drafts where tenant_id = %(tenant)s and conversation_id = %(conversation)s
