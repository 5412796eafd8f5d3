select s.id, a.name as agent, s.agent_id, s.mode, phase_of(s) as phase, s.phase_reason, s.context, s.plan, s.plan_approved, s.version, s.turn,
       (select c.id from conversations c where c.tenant_id = s.tenant_id and c.session_id = s.id order by c.updated_at desc limit 1) as conversation_id,
       s.created_at, s.last_used_at, s.closed_at
  from sessions s join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id
 where s.tenant_id = %(tenant)s and s.id = %(session)s
