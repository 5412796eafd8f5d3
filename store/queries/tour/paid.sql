select count(*) as paid from demo_refunds r join approvals a on a.tenant_id = r.tenant_id and a.call_id = r.call_id
 where r.tenant_id = %(tenant)s and a.id = %(approval)s
