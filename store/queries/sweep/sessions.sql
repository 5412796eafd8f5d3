with due as materialized (
  select id from sessions where tenant_id = %(tenant)s and wake_at < statement_timestamp() and life <> 'closed' order by wake_at limit %(limit)s for no key update skip locked
)
update sessions s set wakes = least(wakes + 1, 10), wake_at = clock_timestamp() + make_interval(secs => least(60, 2 ^ (wakes + 1)))
  from due where s.tenant_id = %(tenant)s and s.id = due.id
returning s.id
