select m.traceparent from calls k join messages m on m.tenant_id = k.tenant_id and m.conversation_id = k.conversation_id and m.direction = 'inbound'
   and (m.session_id = k.session_id and m.turn = k.turn or m.approval_id = k.approval_id)
 where k.tenant_id = %(tenant)s and k.id = %(call)s and m.traceparent is not null order by m.kind = 'verdict' desc, m.seq limit 20
