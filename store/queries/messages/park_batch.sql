update messages set state = 'parked', error = %(error)s
 where tenant_id = %(tenant)s and conversation_id = %(conversation)s and state = 'pending' and seq <= %(upto)s
