update conversations set chat = id, thread = '', peer = '', state = case state when 'settled' then state else 'refused' end, wake_at = null, wakes = 0
 where tenant_id = %(tenant)s and id = any (%(conversations)s)
