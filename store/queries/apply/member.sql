insert into members (tenant_id, id, name, role, person_id)
values (%(tenant)s, %(id)s, %(name)s, %(role)s, (select id from people where tenant_id = %(tenant)s and name = %(person)s order by id limit 1))
on conflict (tenant_id, name) do update set role = excluded.role, person_id = excluded.person_id
  where %(overwrite)s and (members.role, members.person_id) is distinct from (excluded.role, excluded.person_id)
returning xmax = 0 as created
