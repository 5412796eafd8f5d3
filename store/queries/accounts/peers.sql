select p.external_id, p.name, p.person_id, p.first_seen_at, coalesce(q.tier, 'guest') as tier
  from peers p left join people q on q.tenant_id = p.tenant_id and q.id = p.person_id
 where p.tenant_id = %(tenant)s and p.account_id = %(account)s
   and (%(before_at)s::timestamptz is null or (p.first_seen_at, p.external_id) < (%(before_at)s, %(before_id)s))
 order by p.first_seen_at desc, p.external_id desc limit %(limit)s
