select count(*) filter (where state = 'pending') as pending, count(*) filter (where verdict = 'approved') as approved, count(*) filter (where verdict = 'denied') as denied,
       count(*) filter (where verdict = 'expired') as expired, count(*) filter (where verdict = 'cancelled') as cancelled,
       percentile_cont(0.5) within group (order by extract(epoch from decided_at - created_at)) filter (where state = 'decided') as median_seconds
  from approvals where tenant_id = %(tenant)s
