select p.account_id, p.external_id, p.external_id = any (a.owner_identities) as owner
  from peers p join accounts a on a.tenant_id = p.tenant_id and a.id = p.account_id
 where p.tenant_id = %(tenant)s and (p.person_id = any (%(people)s) or p.external_id = %(who)s and %(account)s in ('', a.id, a.name))
 order by p.account_id, p.external_id
