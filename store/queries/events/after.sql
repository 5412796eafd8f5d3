select xid::text as xid, id, kind, subject, conversation_id, state, at from events
 where tenant_id = %(tenant)s and (xid, id) > (%(xid)s::text::xid8, %(id)s) and xid < pg_snapshot_xmin(pg_current_snapshot())
 order by xid, id limit %(limit)s
