update approvals set wake_at = clock_timestamp() + interval '10 min' where tenant_id = %(tenant)s and id = %(approval)s and state = 'pending'
