update keys set revoked_at = clock_timestamp() where tenant_id = %(tenant)s and id = %(key)s and revoked_at is null
