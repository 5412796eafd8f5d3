delete from events where tenant_id = %(tenant)s and at < clock_timestamp() - interval '1 day'
