update sessions set context = coalesce(%(context)s, context), plan = coalesce(%(plan)s, plan), version = version + 1 where tenant_id = %(tenant)s and id = %(session)s
