select message_id, text from drafts where tenant_id = %(tenant)s and conversation_id = %(conversation)s and at > clock_timestamp() - interval '1 min'
