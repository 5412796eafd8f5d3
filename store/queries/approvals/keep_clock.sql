update approvals set wake_at = case when state = 'pending' then greatest(clock_timestamp() + interval '2 s', least(clock_timestamp() + interval '1 h', deadline_at + interval '2 s')) end
 where tenant_id = %(tenant)s and id = %(approval)s and (state = 'pending' or wake_at is not null)
