select m.id, m.name, m.role, m.person_id, p.tier from members m left join people p on p.tenant_id = m.tenant_id and p.id = m.person_id
 where m.tenant_id = %(tenant)s and (%(before)s::text is null or m.id < %(before)s) order by m.id desc limit %(limit)s
