select request_sha256, status, sealed from idempotency where tenant_id = %(tenant)s and actor = %(actor)s and key = %(key)s
