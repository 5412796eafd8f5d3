delete from peers p using unnest(%(accounts)s::text[], %(peers)s::text[]) as gone (account_id, external_id)
 where p.tenant_id = %(tenant)s and p.account_id = gone.account_id and p.external_id = gone.external_id
