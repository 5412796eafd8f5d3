select 1 as found from agents a where a.tenant_id = %(tenant)s and a.name = %(agent)s
   and (%(account)s::text is null or exists (select from accounts c where c.tenant_id = a.tenant_id and c.name = %(account)s))
