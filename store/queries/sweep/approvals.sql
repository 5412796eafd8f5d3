update approvals set wake_at = clock_timestamp() + interval '1 min'
 where tenant_id = %(tenant)s and id in (
   select id from approvals where tenant_id = %(tenant)s and wake_at < clock_timestamp() and state = 'pending' order by wake_at limit %(limit)s for update skip locked)
returning id
