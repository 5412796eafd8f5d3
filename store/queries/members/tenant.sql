select tenant_id as id, name from tenants where tenant_id = %(tenant)s
