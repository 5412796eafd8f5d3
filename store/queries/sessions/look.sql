with s as (
  select * from sessions where tenant_id = %(tenant)s and id = %(session)s
), mine as (
  select c.* from s join conversations c on c.tenant_id = s.tenant_id and c.session_id = s.id
), due as (
  select m.conversation_id as id
    from mine c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state = 'pending'
   where m.due_at <= statement_timestamp()
     and not exists (select from sessions o where o.tenant_id = c.tenant_id and o.turn_conversation_id = c.id and o.step > 0 and o.id <> c.session_id)
   order by m.due_at, m.seq limit 1
), here as (
  select case when s.step > 0 then s.turn_conversation_id else (select id from due) end as id from s
), batch as (
  select m.*
    from s, here join messages m on m.tenant_id = %(tenant)s and m.conversation_id = here.id and m.state = 'pending'
   where case when s.step > 0 then m.turn = s.turn and m.session_id = s.id
              else m.kind <> 'timer' or m.due_at <= statement_timestamp() end
   order by m.seq limit %(batch)s
), past as (
  select m.seq, m.direction, m.text, m.accepted_at as at
    from s join messages m on m.tenant_id = s.tenant_id and m.session_id = s.id
   where m.state in ('answered', 'intent', 'sending', 'sent', 'delivered', 'read', 'unknown') and m.kind in ('text', 'note') and m.text <> ''
   order by m.accepted_at desc, m.seq desc limit %(window)s
)
select s.life, s.mode, s.turn, s.step, s.context, s.plan, s.plan_approved,
       exists (select from approvals p where p.tenant_id = s.tenant_id and p.session_id = s.id and p.state = 'pending') as asking,
       (select jsonb_build_object('id', a.id, 'name', a.name, 'persona', a.persona, 'backend', a.backend, 'model', a.model, 'language', a.language, 'tools', a.tools)
          from agents a where a.tenant_id = s.tenant_id and a.id = s.agent_id) as agent,
       (select m.conversation_id from mine c join messages m on m.tenant_id = c.tenant_id and m.conversation_id = c.id and m.state in ('intent', 'sending')
         order by m.accepted_at limit 1) as unsent_conversation_id,
       here.id as conversation_id,
       (select a.channel from mine c join accounts a on a.tenant_id = c.tenant_id and a.id = c.account_id where c.id = here.id) as channel,
       case when s.step > 0 then s.turn_upto else (select max(seq) from batch) end as upto,
       statement_timestamp() as looked_at,
       coalesce((select jsonb_agg(jsonb_build_object(
           'id', b.id, 'seq', b.seq, 'kind', b.kind, 'text', b.text, 'sender', b.sender,
           'asked', (select jsonb_build_object('approval_id', p.id, 'purpose', p.purpose, 'verdict', p.verdict, 'comment', coalesce(p.comment, ''),
                       'answer', p.answer, 'tool', k.tool, 'arguments', k.arguments, 'result', k.result,
                       'call', jsonb_build_object('id', k.id, 'state', k.state, 'gate', k.gate, 'sha256', p.arguments_sha256, 'asked_outcome',
                         exists (select from approvals o where o.tenant_id = k.tenant_id and o.call_id = k.id and o.purpose = 'outcome')))
                       from approvals p join calls k on k.tenant_id = p.tenant_id and k.id = p.call_id
                      where p.tenant_id = b.tenant_id and p.id = b.approval_id)) order by b.seq) from batch b), '[]') as batch,
       coalesce((select jsonb_agg(jsonb_build_object('id', k.id, 'n', k.n, 'tool', k.tool, 'arguments', k.arguments, 'gate', k.gate, 'state', k.state,
           'sha256', k.arguments_sha256, 'result', k.result, 'asked', coalesce(k.ask ->> 'asked', ''), 'approval_id', k.approval_id, 'asked_outcome',
           exists (select from approvals o where o.tenant_id = k.tenant_id and o.call_id = k.id and o.purpose = 'outcome')) order by k.n)
          from calls k where s.step > 0 and k.tenant_id = s.tenant_id and k.session_id = s.id and k.turn = s.turn), '[]') as calls,
       coalesce((select jsonb_agg(jsonb_build_object('seq', p.seq, 'direction', p.direction, 'text', p.text, 'at', p.at) order by p.at, p.seq) from past p), '[]') as transcript
  from s, here
