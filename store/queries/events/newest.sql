select xid::text as xid, id from events where tenant_id = %(tenant)s and xid < pg_snapshot_xmin(pg_current_snapshot()) order by xid desc, id desc limit 1
