select id from approvals where tenant_id = %(tenant)s and session_id = %(session)s and state = 'pending'
