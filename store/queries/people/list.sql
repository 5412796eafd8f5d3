select p.id, p.name, p.tier, p.created_at,
       coalesce((select jsonb_agg(jsonb_build_object('account_id', e.account_id, 'external_id', e.external_id, 'name', e.name) order by e.first_seen_at)
          from peers e where e.tenant_id = p.tenant_id and e.person_id = p.id), '[]') as peers
  from people p
 where p.tenant_id = %(tenant)s and (%(before)s::text is null or p.id < %(before)s) and (%(tier)s::text is null or p.tier = %(tier)s)
 order by p.id desc limit %(limit)s
