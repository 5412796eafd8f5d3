select id, kind, action, arguments, state, verdict, deadline_at, comment, purpose from approvals
 where tenant_id = %(tenant)s and conversation_id = %(conversation)s order by id desc limit 20
