select id, conversation_id, seq, direction, kind, text, state, sender, answered_by, resend_of, approval_id, attempt, error, accepted_at, sent_at
  from messages where tenant_id = %(tenant)s and id = %(message)s
