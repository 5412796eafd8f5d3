delete from bindings where tenant_id = %(tenant)s and id = %(binding)s
