select t.name as tenant,
       (select coalesce(jsonb_object_agg(phase, n), '{}') from (
          select case when s.life = 'open' and s.step = 0 and s.wake_at is null
                   and not exists (select from approvals a where a.tenant_id = s.tenant_id and a.session_id = s.id and a.state = 'pending') then 'idle'
                 else phase_of(s) end as phase, count(*) as n
            from sessions s where s.tenant_id = t.tenant_id and s.life <> 'closed' group by 1) open) as sessions,
       (select jsonb_build_object('pending', count(*), 'oldest_at', min(a.created_at), 'next_deadline_at', min(a.deadline_at))
          from approvals a where a.tenant_id = t.tenant_id and a.state = 'pending') as approvals,
       (select jsonb_build_object('unanswered', count(*) filter (where m.state = 'pending'), 'held', count(*) filter (where m.state = 'held'),
                                  'parked', count(*) filter (where m.state = 'parked'), 'unknown', count(*) filter (where m.state = 'unknown'),
                                  'oldest_unanswered_at', min(m.accepted_at) filter (where m.state = 'pending'))
          from messages m where m.tenant_id = t.tenant_id
           and (m.state = 'pending' and m.kind in ('text', 'note') and m.due_at <= statement_timestamp() or m.state = 'held' or m.state in ('unknown', 'parked'))) as messages,
       (select count(*) from conversations c where c.tenant_id = t.tenant_id and c.state = 'held') as waiting_to_be_let_in
  from tenants t where t.tenant_id = %(tenant)s
