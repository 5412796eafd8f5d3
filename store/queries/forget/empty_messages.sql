update messages set text = '', payload = '{}', external_id = null, receipt = null, error = null, sender = case direction when 'inbound' then '' else sender end,
       state = case when direction = 'inbound' and state in ('accepted', 'held', 'pending', 'parked') then 'cancelled'
                    when direction = 'outbound' and state in ('intent', 'sending', 'unknown', 'parked') then 'failed' else state end
 where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s)
