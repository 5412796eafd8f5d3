select p.external_id, p.name, p.person_id, p.first_seen_at, coalesce(q.tier, 'guest') as tier
  from peers p left join people q on q.tenant_id = p.tenant_id and q.id = p.person_id
 where p.tenant_id = %(tenant)s and p.account_id = %(account)s order by p.first_seen_at desc limit %(limit)s
