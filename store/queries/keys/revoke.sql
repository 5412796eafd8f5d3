update keys set revoked_at = coalesce(revoked_at, clock_timestamp()) where tenant_id = %(tenant)s and id = %(key)s and role = any (%(roles)s) returning id
