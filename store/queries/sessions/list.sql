select s.id, a.name as agent, s.agent_id, s.mode, phase_of(s) as phase, s.phase_reason, s.context, s.plan, s.plan_approved, s.version, s.turn,
       (select c.id from conversations c where c.tenant_id = s.tenant_id and c.session_id = s.id order by c.updated_at desc limit 1) as conversation_id,
       s.created_at, s.last_used_at, s.closed_at
  from sessions s join agents a on a.tenant_id = s.tenant_id and a.id = s.agent_id
 where s.tenant_id = %(tenant)s and (%(before)s::text is null or s.id < %(before)s)
   and (%(mode)s::text is null or s.mode = %(mode)s) and (%(agent)s::text is null or %(agent)s in (a.id, a.name))
   and (%(phase)s::text is null or (
         s.life = case when %(phase)s in ('closed', 'suspended', 'handed_off') then %(phase)s else 'open' end
         and (%(phase)s <> 'active' or s.step > 0 or s.wake_at is not null) and phase_of(s) = %(phase)s))
 order by s.id desc limit %(limit)s
