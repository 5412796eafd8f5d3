select a.id, a.kind, a.action, a.arguments, a.state, a.verdict, a.deadline_at, a.comment,
       (select k.ask ->> 'asked' from calls k where k.tenant_id = a.tenant_id and k.id = a.call_id) as asked
  from approvals a where a.tenant_id = %(tenant)s and a.conversation_id = %(conversation)s order by a.id desc limit 20
