update sessions set wakes = least(wakes + 1, 10), wake_at = clock_timestamp() + make_interval(secs => least(60, 2 ^ (wakes + 1)))
 where tenant_id = %(tenant)s and id in (
   select id from sessions where tenant_id = %(tenant)s and wake_at < clock_timestamp() and life <> 'closed' order by wake_at limit %(limit)s for update skip locked)
returning id
