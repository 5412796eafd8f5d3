update calls set arguments = '{}', arguments_sha256 = '', ask = '{}', result = null, late_outcome = '"forgotten"',
       state = case when state in ('started', 'unknown') then 'cancelled' else state end
 where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s)
