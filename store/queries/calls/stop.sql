update calls set state = 'cancelled', result = %(result)s, done_at = clock_timestamp() where tenant_id = %(tenant)s and id = %(call)s and state = 'started'
