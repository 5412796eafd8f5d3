select id, conversation_id, seq, direction, kind, text, state, sender, answered_by, resend_of, approval_id, attempt, error, accepted_at, sent_at
  from messages
 where tenant_id = %(tenant)s and conversation_id = %(conversation)s and seq > %(after)s
   and (%(state)s::text is null or state = %(state)s) and (%(direction)s::text is null or direction = %(direction)s)
 order by seq limit %(limit)s
