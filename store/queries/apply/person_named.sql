select 1 as found from people where tenant_id = %(tenant)s and name = %(name)s limit 1
