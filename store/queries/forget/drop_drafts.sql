delete from drafts where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s::text[] || %(shared)s::text[])
