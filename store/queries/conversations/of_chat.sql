select id, state, session_id from conversations where tenant_id = %(tenant)s and account_id = %(account)s and chat = %(chat)s and thread = ''
