delete from idempotency where tenant_id = %(tenant)s and first_at < clock_timestamp() - interval '24 h'
