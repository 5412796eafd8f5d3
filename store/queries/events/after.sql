select e.xid::text as xid, e.id, e.kind, e.subject, e.conversation_id, e.state, e.at from events e
 where e.tenant_id = %(tenant)s and (e.xid, e.id) > (%(xid)s::text::xid8, %(id)s) and e.xid < pg_snapshot_xmin(pg_current_snapshot())
 order by e.xid, e.id limit %(limit)s
