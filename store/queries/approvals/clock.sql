select a.state, a.verdict, a.deadline_at, extract(epoch from a.deadline_at - clock_timestamp())::float8 as left_for, a.action, a.session_id, a.approvers, (select count(*) from votes v where v.tenant_id = a.tenant_id and v.approval_id = a.id) as votes
  from approvals a where a.tenant_id = %(tenant)s and a.id = %(approval)s
