select a.id, a.state, a.verdict, a.kind, a.action, a.arguments, a.arguments_sha256, a.purpose, a.requester, a.approvers, a.options, a.form, a.context, a.deadline_at,
       a.on_timeout, a.decided_by, a.decided_at, a.comment, a.answer, a.session_id, a.conversation_id, a.call_id, a.created_at,
       (select m.name from members m where m.tenant_id = a.tenant_id and m.id = a.decided_by) as decided_by_name,
       (select k.result from calls k where k.tenant_id = a.tenant_id and k.id = a.call_id) as result,
       (select g.name from sessions s join agents g on g.tenant_id = s.tenant_id and g.id = s.agent_id where s.tenant_id = a.tenant_id and s.id = a.session_id) as agent,
       (select k.state from calls k where k.tenant_id = a.tenant_id and k.id = a.call_id) as call_state,
       coalesce((select jsonb_agg(jsonb_build_object('by', v.member_id, 'verdict', v.verdict, 'comment', v.comment, 'at', v.at, 'via', v.via) order by v.at)
          from votes v where v.tenant_id = a.tenant_id and v.approval_id = a.id), '[]') as votes
  from approvals a
 where a.tenant_id = %(tenant)s and (%(before)s::text is null or a.id < %(before)s)
   and (%(state)s::text is null or a.state = %(state)s) and (%(session)s::text is null or a.session_id = %(session)s)
   and (%(conversation)s::text is null or a.conversation_id = %(conversation)s)
 order by a.id desc limit %(limit)s
