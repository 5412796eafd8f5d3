select * from (
  select m.accepted_at as at, m.id, 'message' as kind, m.turn, null::int as n,
         jsonb_build_object('message', jsonb_build_object('conversation_id', m.conversation_id, 'seq', m.seq, 'direction', m.direction, 'kind', m.kind, 'sender', m.sender,
           'text', m.text, 'state', m.state, 'answered_by', m.answered_by, 'resend_of', m.resend_of, 'approval_id', m.approval_id, 'sent_at', m.sent_at)) as more
    from messages m where m.tenant_id = %(tenant)s and m.session_id = %(session)s
  union all
  select m.accepted_at, m.id, 'message', m.turn, null,
         jsonb_build_object('message', jsonb_build_object('conversation_id', m.conversation_id, 'seq', m.seq, 'direction', m.direction, 'kind', m.kind, 'sender', m.sender,
           'text', m.text, 'state', m.state, 'answered_by', m.answered_by, 'resend_of', m.resend_of, 'approval_id', m.approval_id, 'sent_at', m.sent_at))
    from conversations c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.session_id is null
   where c.tenant_id = %(tenant)s and c.session_id = %(session)s
  union all
  select t.at, coalesce(t.call_id, 'step ' || t.turn || '.' || t.n), case t.kind when 'call' then 'call' else 'step' end, t.turn, t.n,
         jsonb_build_object('call', case when k.id is not null then jsonb_build_object('tool', k.tool, 'arguments', k.arguments, 'arguments_sha256', k.arguments_sha256,
           'gate', k.gate, 'state', k.state, 'result', k.result, 'approval_id', k.approval_id, 'started_at', k.started_at, 'done_at', k.done_at) end)
    from steps t left join calls k on k.tenant_id = t.tenant_id and k.id = t.call_id
   where t.tenant_id = %(tenant)s and t.session_id = %(session)s
  union all
  select p.created_at, p.id, 'approval', null, null,
         jsonb_build_object('approval', jsonb_build_object('action', p.action, 'state', p.state, 'verdict', p.verdict, 'purpose', p.purpose,
           'call_id', p.call_id, 'decided_by', p.decided_by, 'decided_at', p.decided_at, 'comment', p.comment, 'deadline_at', p.deadline_at))
    from approvals p where p.tenant_id = %(tenant)s and p.session_id = %(session)s
) as told
 where %(after_at)s::timestamptz is null or (at, id) > (%(after_at)s, %(after_id)s)
 order by at, id limit %(limit)s
