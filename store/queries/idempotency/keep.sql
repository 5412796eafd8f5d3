update idempotency set status = %(status)s, sealed = %(sealed)s
 where tenant_id = %(tenant)s and actor = %(actor)s and key = %(key)s and created_at = %(claimed_at)s
