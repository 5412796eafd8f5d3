with known as (select id, tier from people where tenant_id = %(tenant)s and name = %(name)s order by id limit 1),
  changed as (
    update people p set tier = %(tier)s from known k where p.tenant_id = %(tenant)s and p.id = k.id and %(overwrite)s and k.tier <> %(tier)s returning p.id
  ),
  added as (insert into people (tenant_id, id, name, tier) select %(tenant)s, %(id)s, %(name)s, %(tier)s where not exists (select from known) returning id)
select true as created from added union all select false from changed
