update conversations set wake_at = null, wakes = 0
 where tenant_id = %(tenant)s and id = %(conversation)s and state = 'settled' and wake_at = %(promised_at)s
