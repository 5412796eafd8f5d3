select m.traceparent from messages o join messages m on m.tenant_id = o.tenant_id and m.conversation_id = o.conversation_id
   and m.session_id = o.session_id and m.turn = o.turn and m.direction = 'inbound'
 where o.tenant_id = %(tenant)s and o.id = %(message)s and m.traceparent is not null order by m.seq limit 20
