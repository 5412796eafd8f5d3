select e.xid::text as xid, e.id from events e where e.tenant_id = %(tenant)s and e.xid < pg_snapshot_xmin(pg_current_snapshot()) order by e.xid desc, e.id desc limit 1
