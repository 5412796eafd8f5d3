update idempotency set created_at = '-infinity'
 where tenant_id = %(tenant)s and actor = %(actor)s and key = %(key)s and created_at = %(claimed_at)s and status is null
