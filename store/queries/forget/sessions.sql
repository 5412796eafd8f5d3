select s.id, s.life <> 'closed' as open from sessions s
 where s.tenant_id = %(tenant)s and s.id in (
   select session_id from conversations where tenant_id = %(tenant)s and id = any (%(conversations)s)
   union select session_id from messages where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s)
   union select session_id from calls where tenant_id = %(tenant)s and conversation_id = any (%(conversations)s))
 order by s.id
