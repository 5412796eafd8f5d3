update calls set state = 'unknown' where tenant_id = %(tenant)s and id = %(call)s and state = 'started'
