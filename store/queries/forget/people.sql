select p.id, p.name, exists (select from members m where m.tenant_id = p.tenant_id and m.person_id = p.id) as signs_in
  from people p where p.tenant_id = %(tenant)s and %(who)s in (p.id, p.name) order by p.id
