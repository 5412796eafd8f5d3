select m.id, m.seq, m.direction, m.kind, m.text, m.state, m.payload, m.external_id, m.resend_of, m.accepted_at, m.sent_at, m.approval_id,
       (select jsonb_agg(i.id order by i.seq) from messages i where i.tenant_id = m.tenant_id and i.answered_by = m.id) as answers
  from messages m
 where m.tenant_id = %(tenant)s and m.conversation_id = %(conversation)s and m.seq > %(after)s
   and (m.direction = 'inbound' or m.state in ('sent', 'delivered', 'read'))
 order by m.seq limit %(limit)s
