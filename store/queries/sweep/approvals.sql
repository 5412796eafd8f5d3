with due as materialized (
  select id from approvals where tenant_id = %(tenant)s and wake_at < statement_timestamp() order by wake_at limit %(limit)s for no key update skip locked
)
update approvals a set wake_at = clock_timestamp() + case when state = 'pending' then interval '10 s' else greatest(interval '2 s', clock_timestamp() - decided_at) end
  from due where a.tenant_id = %(tenant)s and a.id = due.id
returning a.id
