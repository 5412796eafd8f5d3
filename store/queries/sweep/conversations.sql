with due as materialized (
  select id from conversations where tenant_id = %(tenant)s and wake_at < statement_timestamp() order by wake_at limit %(limit)s for no key update skip locked
)
update conversations c set wakes = least(wakes + 1, 10), wake_at = clock_timestamp() + make_interval(secs => least(60, 2 ^ (wakes + 1)))
  from due where c.tenant_id = %(tenant)s and c.id = due.id
returning c.id
