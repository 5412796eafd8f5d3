select tenant_id, name from tenants where %(tenant)s = '' or %(tenant)s in (name, tenant_id) order by name
