update agents set backend = %(backend)s, model = %(model)s
 where tenant_id = %(tenant)s and name = 'demo' and version = 1 and (backend, model) is distinct from (%(backend)s::text, %(model)s::text)
