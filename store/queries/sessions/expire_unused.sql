select close_session(%(tenant)s, id, 'expired') as outcome from sessions
 where tenant_id = %(tenant)s and life <> 'closed' and last_used_at < clock_timestamp() - make_interval(secs => %(unused_for)s) and wake_at is null
   and not exists (select from approvals a where a.tenant_id = sessions.tenant_id and a.session_id = sessions.id and a.state = 'pending')
 order by last_used_at limit %(limit)s
