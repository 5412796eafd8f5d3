select named as name from unnest(%(of)s::text[]) as named
 where named not in ('owner', 'admitted', 'platform_admin', 'customer_admin', 'customer_operator')
   and not exists (select from members m where m.tenant_id = %(tenant)s and m.id = named)
   and not exists (select from people p where p.tenant_id = %(tenant)s and p.id = named)
