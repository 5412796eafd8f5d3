update sessions set context = '{}', plan = '[]', scope = id, version = version + 1 where tenant_id = %(tenant)s and id = any (%(sessions)s)
