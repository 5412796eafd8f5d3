update audit a set details = jsonb_set(a.details, '{changes}', (
         select jsonb_agg(case when made.it = any (%(named)s::text[]) then 'person' else made.it end order by made.place)
           from jsonb_array_elements_text(a.details -> 'changes') with ordinality as made (it, place)))
 where a.tenant_id = %(tenant)s and a.action = 'applied' and a.details -> 'changes' ?| %(named)s::text[]
