insert into people (tenant_id, id, name, tier)
select %(tenant)s, %(id)s, %(name)s, %(tier)s where not exists (select from people where tenant_id = %(tenant)s and name = %(name)s)
returning true as created
