delete from accounts where tenant_id = %(tenant)s and id = %(account)s
