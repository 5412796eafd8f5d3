update sessions set plan = %(plan)s, version = version + 1 where tenant_id = %(tenant)s and id = %(session)s
